"""What S3 answers with one request where fsspec's general calls take two or three, and with less CPU.

Its `ls` of an empty folder lists the folder above, which for a clip is that of all clips; `cat_file` and `cp_file` ask
for the size first. Coroutines run in the event loop of the file system.
"""

import asyncio
import itertools
import logging
import mimetypes
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote
from weakref import WeakKeyDictionary

log = logging.getLogger(__name__)

ONE_READER: dict[str, Any] = {"max_concurrency": 1}
"""Makes `cat_file` read a file in one piece, without asking for its size."""


_SMALL = 2**20
"""Bytes of a file up to which it is signed whole."""

_NOT_LIKE_THIS = frozenset({301, 302, 307, 400, 401, 403, 405, 501})
"""Answers of a server that wants another address or signature."""

_places: WeakKeyDictionary[Any, dict[str, str | None]] = WeakKeyDictionary()
"""File system -> bucket -> what its URLs begin with."""


def is_s3(fs: Any) -> bool:
    """Whether a file system is fsspec's S3."""
    return hasattr(fs, "call_s3")


def listed(fs: Any, folder: str, most: int | None = None, *, deep: bool = False) -> list[dict[str, Any]]:
    """What is in a folder, in the form of fsspec's `ls`; empty when there is nothing.

    No more than `most`, of which 1,000 are one request. `deep`: all files at any depth. Raises FileNotFoundError when
    there is no such bucket.
    """
    bucket, key, _ = fs.split_path(folder)
    return list(itertools.islice(_listed(fs, bucket, f"{key.rstrip('/')}/" if key else "", deep), most))


def _listed(fs: Any, bucket: str, prefix: str, deep: bool) -> Iterator[dict[str, Any]]:
    further = {} if deep else {"Delimiter": "/"}
    while True:
        page = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **further)
        for one in page.get("CommonPrefixes") or ():
            yield {"name": f"{bucket}/{one['Prefix'].rstrip('/')}", "size": 0, "type": "directory"}
        for one in page.get("Contents") or ():
            if one["Key"] != prefix:  # some tools mark a folder by an empty object
                yield one | {"name": f"{bucket}/{one['Key']}", "size": one["Size"], "type": "file"}
        if not page.get("IsTruncated"):
            return
        further["ContinuationToken"] = page["NextContinuationToken"]


async def put(fs: Any, path: str, data: bytes, *, exclusive: bool = False, media_type: str = "") -> None:
    """Write a small file. `exclusive` raises FileExistsError when there is such a file."""
    headers = ({"If-None-Match": "*"} if exclusive else {}) | (
        {"Content-Type": media_type} if media_type else {}
    )
    answer = await _signed(fs, "PutObject", path, headers, data)
    if exclusive and answer.status == HTTPStatus.PRECONDITION_FAILED:
        raise FileExistsError(path)
    if answer.status != HTTPStatus.OK:
        options = {"ContentType": media_type} if media_type else {}
        await fs._pipe_file(path, data, mode="create" if exclusive else "overwrite", **options)


async def put_file(fs: Any, source: str, path: str) -> None:
    """Copy a local file of any size, replacing what is there."""
    data = _small(source)
    if data is None:
        await fs._put_file(source, path)
    else:
        await put(fs, path, data, media_type=mimetypes.guess_type(path)[0] or "")


def _small(source: str) -> bytes | None:
    """The bytes of a file, None when there are many."""
    if os.path.getsize(source) > _SMALL:
        return None
    with open(source, "rb") as file:
        return file.read()


async def copy(fs: Any, source: str, path: str) -> None:
    """Copy a file of up to 5 GB on the server, replacing what is there. Raises FileNotFoundError."""
    from_bucket, from_key, _ = fs.split_path(source)
    headers = {"x-amz-copy-source": quote(f"{from_bucket}/{from_key}", safe="/~")}
    answer = await _signed(fs, "CopyObject", path, headers)
    if answer.status == HTTPStatus.OK and b"<CopyObjectResult" in answer.body:
        return  # an error may come as a success, too, with another body
    bucket, key, _ = fs.split_path(path)
    await fs._call_s3(
        "copy_object", Bucket=bucket, Key=key, CopySource={"Bucket": from_bucket, "Key": from_key}
    )


async def copy_each(
    fs: Any, pairs: Iterable[tuple[str, str]], at_once: int, before_each: Callable[[], None]
) -> list[str]:
    """`copy` for many, some at the same time. Returns the sources that are not there."""
    waiting, gone = iter(pairs), list[str]()

    async def copy_on() -> None:
        for source, path in waiting:
            before_each()
            try:
                await copy(fs, source, path)
            except FileNotFoundError:
                gone.append(source)

    ends = await asyncio.gather(*(copy_on() for _ in range(at_once)), return_exceptions=True)
    for error in filter(None, ends):
        raise error
    return gone


class _Answer(NamedTuple):
    status: int
    body: bytes = b""


_NONE = _Answer(0)


async def _signed(
    fs: Any, operation: str, path: str, headers: Mapping[str, str], data: bytes = b""
) -> _Answer:
    """The answer to a PUT that the client of the file system signs and sends, and no more.

    Half of the CPU of a request goes into what the client looks up and checks for it. What does not succeed like this
    is for the client as a whole: it goes to the right region, tries again, and raises. A file that is created
    exclusively may then be there by the first of the two, as it may when the client itself tries twice: whoever
    creates one looks whose it is.
    """
    bucket, key, _ = fs.split_path(path)
    places = _places.setdefault(fs, {})
    try:
        await fs.set_session()
        client = await fs.get_s3(bucket)
        if bucket not in places:
            places[bucket] = await _place(fs, client, bucket)
        place = places[bucket]
        if place is None:
            return _NONE
        answer = await _send(client, operation, place + quote(key, safe="/~"), headers, data)
    except Exception as error:  # of the network, or of a version of the client that has other insides
        log.debug("S3 is asked again by the whole client: %s", error)
        return _NONE
    if answer.status in _NOT_LIKE_THIS:
        places[bucket] = None
    return answer


async def _send(client: Any, operation: str, url: str, headers: Mapping[str, str], data: bytes) -> _Answer:
    from botocore.awsrequest import AWSRequest

    named = {"User-Agent": client.meta.config.user_agent, **headers}
    request = AWSRequest("PUT", url, named, data)
    request.context = {"client_config": client.meta.config}
    await client._request_signer.sign(operation, request)
    answer = await client._endpoint.http_session.send(request.prepare())
    return _Answer(answer.status_code, await answer.content)


async def _place(fs: Any, client: Any, bucket: str) -> str | None:
    """What the URLs of a bucket begin with; None where a PUT takes more than a signature."""
    is_plain = re.fullmatch(r"[a-z0-9.-]+", bucket) and not bucket.endswith("--x-s3")
    if not is_plain or fs.s3_additional_kwargs or fs.req_kw or fs.anon:
        return None
    url = await client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "key"})
    begin, found, _ = str(url).partition("key?")
    return begin if found else None
