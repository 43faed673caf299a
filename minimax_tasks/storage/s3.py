"""What S3 answers with one request where fsspec's general calls take two or three.

Its `ls` of an empty folder lists the folder above, which for a clip is that of all clips; `cat_file` and `cp_file` ask
for the size first.
"""

import itertools
from collections.abc import Iterator
from typing import Any

ONE_READER: dict[str, Any] = {"max_concurrency": 1}
"""Makes `cat_file` read a file in one piece, without asking for its size."""


def is_s3(fs: Any) -> bool:
    """Whether a file system is fsspec's S3."""
    return hasattr(fs, "call_s3")


def listed(fs: Any, folder: str, most: int | None = None) -> list[dict[str, Any]]:
    """What is right in a folder, in the form of fsspec's `ls`; empty when there is nothing.

    No more than `most`, of which 1,000 are one request. Raises FileNotFoundError when there is no such bucket.
    """
    bucket, key, _ = fs.split_path(folder)
    return list(itertools.islice(_listed(fs, bucket, f"{key.rstrip('/')}/" if key else ""), most))


def _listed(fs: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    further: dict[str, str] = {}
    while True:
        page = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter="/", **further)
        for one in page.get("CommonPrefixes") or ():
            yield {"name": f"{bucket}/{one['Prefix'].rstrip('/')}", "size": 0, "type": "directory"}
        for one in page.get("Contents") or ():
            if one["Key"] != prefix:  # some tools mark a folder by an empty object
                yield one | {"name": f"{bucket}/{one['Key']}", "size": one["Size"], "type": "file"}
        if not page.get("IsTruncated"):
            return
        further = {"ContinuationToken": page["NextContinuationToken"]}


def copy(fs: Any, source: str, name: str) -> None:
    """Copy a file of up to 5 GB on the server, replacing what is there. Raises FileNotFoundError."""
    from_bucket, from_key, _ = fs.split_path(source)
    bucket, key, _ = fs.split_path(name)
    fs.call_s3("copy_object", Bucket=bucket, Key=key, CopySource={"Bucket": from_bucket, "Key": from_key})
