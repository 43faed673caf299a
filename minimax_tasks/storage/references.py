"""What a file of somebody else may name, judged before anything is opened.

A board or a table names pictures, and people name boards and tables. Such a name is never given to fsspec as
it is: fsspec knows some fifty protocols and chains of them (`zip://…::https://…`), several of which fetch from
anywhere, and one of which (`reference://`) renders templates that it fetched. What is allowed is a local
regular file, a data URL, an http(s) URL, and a file on the storages of `STORED`; and nothing is read further
than a limit.
"""

import contextlib
import errno
import itertools
import os
import posixpath
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

from minimax_tasks.errors import IsFolder, UnreadableReference
from minimax_tasks.redaction import clean, private_logs
from minimax_tasks.storage.temporary import temporary_folder

_Answer = TypeVar("_Answer")

STORED = {
    "s3": "s3fs", "s3a": "s3fs",
    "gs": "gcsfs", "gcs": "gcsfs",
    "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs",
    "memory": "",
}  # fmt: skip
"""Protocol of a storage that files may be named on -> the package that it needs."""

UPLOADED = "mm_file://"
"""What the address of a file that was uploaded to the video service starts with. It is sent, and never read here."""

_LOCAL = ("file", "local")
_WEB = ("http", "https")
_NO_ROOTS = frozenset(
    {
        "http",
        "https",
        "data",
        "github",
        "gist",
        "git",
        "jupyter",
        "jlab",
        "pyscript",
        "dask",
        "wandb",
        "dvc",
        "zip",
        "tar",
        "libarchive",
        "reference",
        "dir",
        "generic",
        "root",
        "cached",
        "blockcache",
        "filecache",
        "simplecache",
        "asynclocal",
        "async_wrapper",
        "asyncwrapper",
    }
)
"""Protocols of fsspec that only fetch, or that stand in front of another storage."""
_SIGNED = re.compile(r"\?[^/?]*=")
_CHAIN = re.compile(r"::[a-z0-9+.-]*:?//", re.IGNORECASE)
_AZURE_ACCOUNT = re.compile(r"(?:[^/]*@)?(?P<account>[^/@]+?)\.(dfs|blob)\.core\.windows\.net", re.IGNORECASE)
_BLOCK = 1 << 20
_WEB_PATIENCE = 60.0
"""Seconds that a board or a table on the web may take to arrive."""
STORED_PATIENCE = 60.0
"""Seconds that one question to a storage may take: some look for credentials for minutes, where there are none."""

ALLOWED = "a local file, or one on s3://, gs://, az:// or memory://"


class Kind(Enum):
    """Where the bytes of a reference are."""

    LOCAL = "local"
    DATA = "data"
    WEB = "web"
    STORED = "stored"


def kind_of(reference: str) -> Kind:
    """Where the bytes of a reference are, by its text alone. Raises `UnreadableReference` for what is not allowed."""
    head = reference[:5].casefold()
    if head == "data:":
        return Kind.DATA
    if reference.startswith(UPLOADED):
        return Kind.WEB
    scheme = _scheme(reference)
    if scheme in _WEB:
        if _CHAIN.search(reference):
            raise UnreadableReference("it is a chain of protocols (`::`); give one address")
        if not _is_address(reference):
            raise UnreadableReference("it is no URL: nobody can fetch it")
        return Kind.WEB
    if "::" in reference:
        raise UnreadableReference(f"it is a chain of protocols (`::`); give {ALLOWED}")
    if not scheme or scheme in _LOCAL:
        return Kind.LOCAL
    if scheme in STORED:
        _check_login(reference)
        _check_account(reference)
        return Kind.STORED
    raise UnreadableReference(f"files are not read by {clean(scheme, 40)}://; give {ALLOWED}")


def _is_address(url: str) -> bool:
    """Whether a URL names a host that can be asked. A blank in its path is nobody's business here."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        return False
    return (
        bool(parts.hostname)
        and not re.search(r"\s", parts.netloc)
        and not re.search(r"[\x00-\x1f\x7f]", url.strip())
    )


def is_web(reference: str) -> bool:
    """Whether a reference is an address that others fetch from: an http(s) URL, or that of an uploaded file."""
    return _scheme(reference) in _WEB or reference.startswith(UPLOADED)


def judge_root(url: str) -> None:
    """Raise `UnreadableReference` for the URL of a folder that files cannot be kept in; nothing is asked.

    Such a URL is part of the commands, paths and logs that people are shown, so it holds no secret.
    """
    if "::" in url:
        raise UnreadableReference(
            "it is a chain of protocols (`::`), which is not supported; give one path or URL"
        )
    scheme = _scheme(url)
    if scheme in _NO_ROOTS or url[:5].casefold() == "data:":
        raise UnreadableReference(
            "it is no place to keep files; give a folder, or one on s3://, gs:// or az://"
        )
    if not scheme or scheme in _LOCAL:
        return
    authority, _, after = url.strip().partition("://")[2].partition("/")
    _check_login(url)
    if _SIGNED.search(f"{authority}/{after}"):
        raise UnreadableReference(
            "what stands behind its ? would be shown in commands, logs and reports; leave it out, and give the storage "
            "its credentials as its own tools do"
        )
    from fsspec.registry import known_implementations, registry

    if scheme not in known_implementations and scheme not in registry:
        raise UnreadableReference(f"there is no protocol {clean(scheme, 40)}://; give {ALLOWED}")


def connects_when_named(url: str) -> bool:
    """Whether fsspec asks a server as soon as it is given such a URL: the clouds wait for the first file."""
    scheme = _scheme(url)
    return bool(scheme) and scheme not in _LOCAL and scheme not in STORED


def is_absolute(reference: str) -> bool:
    """Whether a reference stands for itself, wherever the file is that names it."""
    return bool(_scheme(reference)) or reference[:5].casefold() == "data:" or os.path.isabs(reference)


def next_to(folder: str, reference: str) -> str:
    """A reference as it is meant by a file in a folder: a relative path starts there.

    Storages know no `..`, so such steps are taken here; none leads out of the bucket or the server.
    """
    if is_absolute(reference):
        return reference
    if _scheme(folder):
        scheme, _, rest = folder.partition("://")
        top, _, below = rest.partition("/")
        if not {".", ".."} & set(reference.split("/")):
            return f"{folder}/{reference}"
        steps = f"{below}/{reference}".lstrip("/")
        return f"{scheme}://{top}{posixpath.normpath(f'/{steps}')}"
    return os.path.normpath(os.path.join(folder, reference))


def folder_of(reference: str) -> str:
    """The folder that a file is in, for `next_to`; what may be a signature in a web address stays behind."""
    if is_web(reference):
        parts = urlsplit(reference)
        return parts._replace(path=parts.path.rpartition("/")[0], query="", fragment="").geturl()
    if _scheme(reference):
        return reference.rpartition("/")[0]
    return os.path.dirname(reference) or "."


def in_time(question: Callable[[], _Answer]) -> _Answer:
    """The answer to a question that may wait for a server; TimeoutError when it has not come in time."""
    answers: Future[_Answer] = Future()

    def ask() -> None:
        try:
            answers.set_result(question())
        except BaseException as error:
            answers.set_exception(error)

    threading.Thread(
        target=ask, daemon=True
    ).start()  # one that is stuck does not hold up the end of the process
    return answers.result(STORED_PATIENCE)


def read(reference: str, limit: int) -> bytes:
    """The bytes of a file that is local, on the web, or on one of the storages; at most `limit` bytes.

    Raises `UnreadableReference` when it cannot be read, also for a file over the limit. Not for data URLs.
    """
    kind = kind_of(reference)
    try:
        if kind is Kind.LOCAL:
            return read_local(_local_path(reference), limit)
        if kind is Kind.WEB:
            return _read_web(reference, limit)
        return _read_stored(reference, limit)
    except UnreadableReference:
        raise
    # The file systems of fsspec, and the clouds behind them, have no exception in common.
    except Exception as error:
        raise UnreadableReference(_why(error)) from error


def read_file(reference: str, limit: int, what: str) -> bytes:
    """`read` for a file that somebody names, such as "the table file". Raises `UnreadableReference`."""
    try:
        return read(reference, limit)
    except IsFolder:
        raise IsFolder(f"this is a folder; give {what} in it") from None


def read_text(reference: str, limit: int, what: str) -> str:
    """`read_file` for a text in UTF-8. Raises `UnreadableReference`."""
    try:
        return read_file(reference, limit, what).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableReference("this is not UTF-8 text") from None


@contextlib.contextmanager
def opened(reference: str, limit: int) -> Iterator[BinaryIO]:
    """A file like those that `read` reads, open, for one that should not be in the memory as a whole.

    One that is not on this machine is fetched into a temporary file. Raises `UnreadableReference`.
    """
    with contextlib.ExitStack() as stack:
        try:
            if kind_of(reference) is Kind.LOCAL:
                file = stack.enter_context(_open_local(_local_path(reference), limit))
            else:
                draft = stack.enter_context(temporary_folder()) / "file"
                if kind_of(reference) is Kind.STORED:
                    _fetch_stored(reference, draft, limit)
                else:
                    draft.write_bytes(read(reference, limit))
                file = stack.enter_context(draft.open("rb"))
        except UnreadableReference:
            raise
        except Exception as error:  # as in `read`
            raise UnreadableReference(_why(error)) from error
        yield file


def read_local(path: str | Path, limit: int) -> bytes:
    """The bytes of a local regular file; a device, a pipe or a folder is never opened or waited for.

    Raises `UnreadableReference`, also for a file of more than `limit` bytes.
    """
    try:
        with _open_local(path, limit) as file:
            return _read_on(file.read, limit)
    except (OSError, ValueError) as error:
        raise error if isinstance(error, UnreadableReference) else UnreadableReference(_why(error)) from error


def _open_local(path: str | Path, limit: int) -> BinaryIO:
    _check_regular(os.stat(path))
    # A file may be changed for a pipe between looking and opening: opening a pipe must not wait.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    file = open(descriptor, "rb", buffering=0)  # noqa: SIM115 - the caller closes it
    try:
        found = os.fstat(descriptor)
        _check_regular(found)
        _check_size(found.st_size, limit)
    except BaseException:
        file.close()
        raise
    return cast(BinaryIO, file)


@dataclass(frozen=True)
class Entry:
    """What is at a path or URL: a file or a folder, and a text that changes when the file does."""

    is_folder: bool
    version: str


def entry(reference: str) -> Entry | None:
    """What is at a path or a URL of a storage; None when nothing is, or when that cannot be told. Nothing is read."""
    try:
        kind = kind_of(reference)
        if kind is Kind.LOCAL:
            found = os.stat(_local_path(reference))
            version = f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}"
            return Entry(stat.S_ISDIR(found.st_mode), version)
        if kind is Kind.STORED:
            fs, path = _opened(reference)
            return _entry(fs.info(path, **patience(fs)))
    except Exception:  # whatever it is, reading says it
        return None
    return None


def version_of(reference: str) -> str | None:
    """A text that changes when a file does, None when that cannot be told. Nothing is read."""
    found = entry(reference)
    return found.version if found else None


def files_below(folder: str, most: int) -> dict[str, Entry]:
    """Every file in a folder at any depth, by its path below the folder.

    Raises `UnreadableReference`, also for a folder of more than `most` files.
    """
    try:
        fs, path = _listable(folder)
        base = path.rstrip("/") + "/"
        if kind_of(folder) is Kind.LOCAL:
            found = dict(itertools.islice(_walked(base), most + 1))
        else:
            listed = fs.find(base.rstrip("/") or "/", detail=True, **patience(fs))
            found = {name: _entry(item) for name, item in listed.items()}
    except UnreadableReference:
        raise
    except Exception as error:
        raise UnreadableReference(_why(error)) from error
    if len(found) > most:
        raise UnreadableReference(f"this is a folder of more than {most:,} files")
    return {name.removeprefix(base): one for name, one in found.items() if name.startswith(base)}


def _walked(base: str) -> Iterator[tuple[str, Entry]]:
    """The files of a local folder, one after the other: a disk may have millions."""
    for place, _, names in os.walk(base):
        for name in names:
            path = os.path.join(place, name).replace(os.sep, "/")
            if found := entry(path):
                yield path, found


def matches(pattern: str) -> dict[str, tuple[str, Entry]]:
    """Every file and folder that a pattern names (`*`, `?`, `[ab]`, and `**` at any depth).

    By its path below the folder in which the pattern begins: its own path or URL, and what is there. Raises
    `UnreadableReference`.
    """
    try:
        fs, path = _listable(pattern)
        found = fs.glob(path.rstrip("/"), detail=True, **patience(fs))
    except UnreadableReference:
        raise
    except Exception as error:
        raise UnreadableReference(_why(error)) from error
    begins = "".join(f"{folder}/" for folder in itertools.takewhile(_is_plain, path.split("/")))
    is_local = kind_of(pattern) is Kind.LOCAL
    return {
        name.removeprefix(begins): (name if is_local else str(fs.unstrip_protocol(name)), _entry(item))
        for name, item in found.items()
    }


def is_pattern(reference: str) -> bool:
    """Whether a path or a URL of a storage may stand for many files."""
    return not is_web(reference) and not _is_plain(reference)


def _is_plain(name: str) -> bool:
    return not any(mark in name for mark in "*?[")


def _entry(info: dict[str, Any]) -> Entry:
    """An entry by what a file system of fsspec says of it."""
    return Entry(info.get("type") == "directory", repr(sorted(info.items(), key=lambda item: item[0])))


def _listable(reference: str) -> tuple[Any, str]:
    if kind_of(reference) is Kind.STORED:
        return _opened(reference)
    if kind_of(reference) is not Kind.LOCAL:
        raise UnreadableReference("files can be listed on a disk or a storage alone")
    from fsspec.implementations.local import LocalFileSystem

    fs = LocalFileSystem()
    return fs, str(fs._strip_protocol(_local_path(reference)))


def full_name(reference: str) -> str:
    """One name for a file, however it was spelled: an absolute URL. Raises `UnreadableReference`."""
    kind = kind_of(reference)
    if kind is Kind.LOCAL:
        from fsspec.implementations.local import LocalFileSystem

        fs = LocalFileSystem()
        return str(fs.unstrip_protocol(fs._strip_protocol(_local_path(reference))))
    if kind is Kind.STORED:
        fs, path = _opened(reference)
        return str(fs.unstrip_protocol(path))
    return reference


def _scheme(reference: str) -> str:
    """What stands before `://`, in small letters; "" for a local path, one on a Windows drive too."""
    scheme, found, _ = reference.partition("://")
    return scheme.strip().casefold() if found and len(scheme.strip()) > 1 else ""


def local_path(reference: str) -> str | None:
    """The absolute path of a reference to a file on this machine; None for any other."""
    return os.path.abspath(_local_path(reference)) if kind_of(reference) is Kind.LOCAL else None


def _local_path(reference: str) -> str:
    return reference.partition("://")[2] if _scheme(reference) in _LOCAL else reference


def _check_login(url: str) -> None:
    """No URL of a storage holds a password: what the storage's own client logs is not ours to redact."""
    authority = url.strip().partition("://")[2].partition("/")[0]
    if ":" in authority.rpartition("@")[0]:
        name = _scheme(url).upper()
        raise UnreadableReference(
            "its user and password would be shown in commands, logs and reports; leave them out, and set them for "
            f"fsspec, such as FSSPEC_{name}_USERNAME and FSSPEC_{name}_PASSWORD, or as the storage's own tools do"
        )


def _check_account(reference: str) -> None:
    """Azure's URLs may name the account, and whatever access there is would be shown to that account."""
    found = _AZURE_ACCOUNT.match(reference.partition("://")[2])
    if found is None:
        return
    from fsspec.config import conf

    own = {str(conf.get(name, {}).get("account_name", "")) for name in STORED} | {
        os.environ.get("AZURE_STORAGE_ACCOUNT_NAME", "")
    }
    if found["account"].casefold() not in {name.casefold() for name in own} - {""}:
        raise UnreadableReference(
            f"it is in the Azure account {clean(found['account'], 60)}, which is not the one that is set up here "
            "(AZURE_STORAGE_ACCOUNT_NAME)"
        )


def missing_package(url: str) -> str:
    """What to do where the package of a storage is not installed. Empty for a storage that is not one of `STORED`."""
    scheme = _scheme(url)
    package = STORED.get(scheme)
    return f"{scheme}:// needs a package that is not installed: pip install {package}" if package else ""


def _opened(reference: str) -> tuple[Any, str]:
    import fsspec

    scheme = _scheme(reference)
    try:
        fs, path = fsspec.core.url_to_fs(
            f"{scheme}://{reference.strip().partition('://')[2]}", use_listings_cache=False
        )
    except ImportError as error:
        raise UnreadableReference(missing_package(reference)) from error
    except Exception as error:  # the clouds have no exception in common
        raise UnreadableReference(_why(error)) from error
    return fs, path


def patience(fs: Any) -> dict[str, float]:
    """The argument by which a file system of fsspec that is asynchronous inside gives up in time."""
    return {"timeout": STORED_PATIENCE} if fs.async_impl else {}


def _fetch_stored(reference: str, target: Path, limit: int) -> None:
    fs, path = _opened(reference)
    _check_stored(fs, path, limit)
    fs.get_file(path, str(target))
    _check_size(target.stat().st_size, limit)


def _check_stored(fs: Any, path: str, limit: int) -> int | None:
    """The size of a file of a storage, None when it is not told."""
    found = fs.info(path, **patience(fs))
    if found["type"] != "file":
        raise IsFolder("it is a folder")
    size: int | None = found.get("size")
    _check_size(size or 0, limit)
    return size


def _read_stored(reference: str, limit: int) -> bytes:
    fs, path = _opened(reference)
    size = _check_stored(fs, path, limit)
    if size == 0:
        return b""  # S3 has no range of nothing
    data = bytes(fs.cat_file(path, start=0, end=limit + 1, **patience(fs)))
    _check_size(len(data), limit)
    return data


def _read_web(url: str, limit: int) -> bytes:
    import httpx

    until = time.monotonic() + _WEB_PATIENCE
    data = bytearray()
    with (
        private_logs(),
        httpx.stream("GET", url.strip(), follow_redirects=True, timeout=_WEB_PATIENCE / 2) as answer,
    ):
        if answer.status_code != 200:
            raise UnreadableReference(f"the server answers HTTP {answer.status_code}")
        for part in answer.iter_bytes(_BLOCK):
            data += part
            _check_size(len(data), limit)
            if time.monotonic() > until:
                raise UnreadableReference(f"it has not arrived after {_WEB_PATIENCE:g} s")
    return bytes(data)


def _read_on(read: Any, limit: int) -> bytes:
    data = bytearray()
    while part := read(min(_BLOCK, limit + 1 - len(data))):
        data += part
        _check_size(len(data), limit)
    return bytes(data)


def _check_regular(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsFolder("it is a folder")
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
        raise UnreadableReference(f"it is {kinds.get(stat.S_IFMT(found.st_mode), 'a device')}, not a file")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise UnreadableReference(f"it has more than {_megabytes(limit)}")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:g} MB" if size >= 1e5 else f"{size / 1e3:g} kB"


_WORDS = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "there is no such file",
    errno.EACCES: "it may not be read",
    errno.EPERM: "it may not be read",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its links lead in a circle",
}


def _why(error: Exception) -> str:
    """Why it cannot be read, in one short line."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case TimeoutError():
            return "it has not arrived in time"
        case OSError(errno=number) if number in _WORDS:
            return _WORDS[number]
        case ValueError() if "null" in str(error):
            return "a file's name has no NUL character"
    said = clean(error, 200)
    kind = type(error).__name__
    return (
        f"it cannot be read ({said or kind})"
        if isinstance(error, OSError)
        else f"it cannot be read ({kind}: {said})"
    )
