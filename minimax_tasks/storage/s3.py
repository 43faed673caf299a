"""What S3 answers with one request where fsspec's general calls take two or three.

Its `ls` of an empty folder lists the folder above, which for a clip is that of all clips; `cat_file` and `cp_file` ask
for the size first. Coroutines run in the event loop of the file system.
"""

import asyncio
import itertools
import mimetypes
import os
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

from fsspec.asyn import sync

from minimax_tasks.storage.s3_signed import signed

ONE_READER: dict[str, Any] = {"max_concurrency": 1}
"""Makes `cat_file` read a file in one piece, without asking for its size."""

_SMALL = 2**20
"""Bytes of a file up to which it is sent from memory."""


def is_s3(fs: Any) -> bool:
    """Whether a file system is fsspec's S3."""
    return hasattr(fs, "call_s3")


def listed(fs: Any, folder: str, most: int | None = None) -> list[dict[str, Any]]:
    """What is right in a folder, in the form of fsspec's `ls`; empty when there is nothing.

    No more than `most`, of which 1,000 are one request. Raises FileNotFoundError when there is no such bucket.
    """
    bucket, prefix = _in(fs, folder)
    return list(itertools.islice(_by_client(fs, bucket, prefix, {"Delimiter": "/"}), most))


def files_below(fs: Any, folder: str) -> list[dict[str, Any]]:
    """All files in a folder at any depth, by `name`, `size` and `ETag`; empty when there is nothing.

    Raises FileNotFoundError when there is no such bucket.
    """
    bucket, prefix = _in(fs, folder)
    found: list[dict[str, Any]] | None = sync(fs.loop, _signed_listing, fs, bucket, prefix)
    return list(_by_client(fs, bucket, prefix, {})) if found is None else found


def _in(fs: Any, folder: str) -> tuple[str, str]:
    bucket, key, _ = fs.split_path(folder)
    return bucket, f"{key.rstrip('/')}/" if key.rstrip("/") else ""


def _by_client(fs: Any, bucket: str, prefix: str, further: dict[str, str]) -> Iterator[dict[str, Any]]:
    while True:
        page = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **further)
        for one in page.get("CommonPrefixes") or ():
            yield {"name": f"{bucket}/{one['Prefix'].rstrip('/')}", "size": 0, "type": "directory"}
        for one in page.get("Contents") or ():
            if one["Key"] != prefix:  # some tools mark a folder by an empty object
                yield one | {"name": f"{bucket}/{one['Key']}", "size": one["Size"], "type": "file"}
        if not page.get("IsTruncated"):
            return
        further = further | {"ContinuationToken": page["NextContinuationToken"]}


async def _signed_listing(fs: Any, bucket: str, prefix: str) -> list[dict[str, Any]] | None:
    """Every file below a prefix; None where the client has to ask."""
    from xml.etree import ElementTree  # nothing is on S3, mostly

    query = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
    found = []
    while True:
        answer = await signed(fs, bucket, query=query)
        if answer.status != HTTPStatus.OK:
            return None
        try:
            page = ElementTree.fromstring(answer.body)
            for one in page.iterfind("{*}Contents"):
                key = unquote_plus(one.findtext("{*}Key", ""))
                size, mark = int(one.findtext("{*}Size", "")), one.findtext("{*}ETag", "")
                if key != prefix:
                    found.append({"name": f"{bucket}/{key}", "size": size, "ETag": mark})
        except (ElementTree.ParseError, ValueError):
            return None
        if page.findtext("{*}EncodingType") != "url":
            return None
        if page.findtext("{*}IsTruncated") != "true":
            return found
        query["continuation-token"] = page.findtext("{*}NextContinuationToken", "")


async def put(fs: Any, path: str, data: bytes, *, exclusive: bool = False, media_type: str = "") -> None:
    """Write a small file. `exclusive` raises FileExistsError when there is such a file."""
    bucket, key, _ = fs.split_path(path)
    headers = {"if-none-match": "*"} if exclusive else {}
    if media_type:
        headers["content-type"] = media_type
    answer = await signed(fs, bucket, key, headers=headers, data=data)
    if exclusive and answer.status == HTTPStatus.PRECONDITION_FAILED:
        raise FileExistsError(path)
    if answer.status != HTTPStatus.OK:
        options = {"ContentType": media_type} if media_type else {}
        await fs._pipe_file(path, data, mode="create" if exclusive else "overwrite", **options)


def is_small(source: str | Path) -> bool:
    """Whether a local file can be sent from memory (`put_file`), in an event loop that has more to do."""
    return os.path.getsize(source) <= _SMALL


async def put_file(fs: Any, source: str | Path, path: str) -> None:
    """Copy a small local file, replacing what is there."""
    await put(fs, path, _bytes(source), media_type=mimetypes.guess_type(path)[0] or "")


def _bytes(source: str | Path) -> bytes:
    with open(source, "rb") as file:
        return file.read()


async def copy(fs: Any, source: str, path: str) -> None:
    """Copy a file of up to 5 GB on the server, replacing what is there. Raises FileNotFoundError."""
    (from_bucket, from_key, _), (bucket, key, _) = fs.split_path(source), fs.split_path(path)
    headers = {"x-amz-copy-source": quote(f"{from_bucket}/{from_key}", safe="/~")}
    answer = await signed(fs, bucket, key, headers=headers, data=b"")
    if answer.status == HTTPStatus.OK and b"<CopyObjectResult" in answer.body:
        return  # an error may come with the status of a success, and another body
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
