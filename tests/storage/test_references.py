"""What somebody's file may name: judged by its text, opened only when allowed, read up to a limit."""

import asyncio
import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.commands.main import main
from minimax_tasks.errors import UnreadableReference
from minimax_tasks.storage import references
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import Kind, folder_of, full_name, kind_of, next_to, read, version_of

HOSTILE = [
    "reference://x0::http://127.0.0.1:9/evil.json",
    "REFERENCE://::memory://evil.json",
    "reference://",
    "simplecache::http://127.0.0.1:9/a.png",
    "simplecache::/etc/passwd",
    "filecache::s3://b/k.png",
    "blockcache::file:///etc/passwd",
    "zip://a.png::http://127.0.0.1:9/a.zip",
    "zip://a.png::/etc/passwd",
    "zip://a.png",
    "tar://a.png::s3://b/a.tar",
    "libarchive://a.png::x.7z",
    "ftp://127.0.0.1/a.png",
    "sftp://127.0.0.1/a.png",
    "ssh://127.0.0.1/a.png",
    "github://own:er@main/a.png",
    "gist://abc/a.png",
    "hf://datasets/a/b.png",
    "git://repo:a.png",
    "smb://host/share/a.png",
    "hdfs://host/a.png",
    "arrow_hdfs://host/a.png",
    "webhdfs://host/a.png",
    "webdav://host/a.png",
    "dask://host/a.png",
    "dbfs://host/a.png",
    "jupyter://host/a.png",
    "oci://b/a.png",
    "oss://b/a.png",
    "gdrive://a.png",
    "dropbox://a.png",
    "lakefs://r/b/a.png",
    "wandb://x/a.png",
    "generic://x",
    "dir://x::memory://y",
    "cached://x",
    "asynclocal:///etc/passwd",
    "async_wrapper::file:///etc/passwd",
    "data://text/plain,x::http://127.0.0.1:9/",
    "javascript://x",
    "python://os.system",
    "a/b://c",
    " reference ://x",
    "ｓ３://bucket/a.png",
    "memory://a::file:///etc/passwd",
    "s3://bucket/a::reference://b",
    "file:///etc/passwd::http://127.0.0.1:9/",
    "/etc/passwd::simplecache://x",
    "::",
    "https://host/a.png::file:///etc/passwd",
    "http://host/a::reference://b",
    "abfss://c@somebody.blob.core.windows.net/a.png",
    "az://c@somebody.dfs.core.windows.net/a.png",
    "az://somebody.blob.core.windows.net/c/a.png",
    "abfs://@somebody.blob.core.windows.net/a.png",
    "abfs://a@b@Somebody.Blob.Core.Windows.Net:443/a.png",
    "s3://user:word@bucket/a.png",
    "GS://user:word@bucket/a.png",
    "az://user:word@container/a.png",
    "memory://user:word@x/a.png",
]


@pytest.fixture
def nobody_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file system of fsspec is made at all, and no connection."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was opened")

    monkeypatch.setattr(fsspec.core, "url_to_fs", refuse)
    monkeypatch.setattr(fsspec, "filesystem", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("nobody_opens")
@pytest.mark.parametrize(
    "url",
    [
        "https://[bad",
        "http://",
        "http:///x.png",
        "http://h:99999/x",
        "http://h:abc/x",
        "http://h /x",
        "http://h/a\nb.png",
    ],
)
def test_what_nobody_can_fetch_is_no_address(url: str) -> None:
    with pytest.raises(UnreadableReference, match="it is no URL"):
        kind_of(url)


@pytest.mark.parametrize("reference", HOSTILE)
def test_what_is_not_allowed_is_refused_by_its_text(reference: str) -> None:
    for judge in (kind_of, lambda text: read(text, 100), full_name):
        if reference.startswith("data://"):
            assert kind_of(reference) is Kind.DATA  # decoded as a data URL, never opened
            return
        with pytest.raises(UnreadableReference) as refused:
            judge(reference)
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 300
    assert version_of(reference) is None


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("a.png", Kind.LOCAL),
        ("refs/a b.png", Kind.LOCAL),
        ("/abs/a.png", Kind.LOCAL),
        ("C:\\film\\a.png", Kind.LOCAL),
        ("C:/x.png", Kind.LOCAL),
        ("c://x.png", Kind.LOCAL),
        ("..\\a.png", Kind.LOCAL),
        ("a:b.png", Kind.LOCAL),
        ("file:///a.png", Kind.LOCAL),
        ("FILE:///a.png", Kind.LOCAL),
        ("local:///a.png", Kind.LOCAL),
        ("data:image/png;base64,AAAA", Kind.DATA),
        ("DATA:image/png;base64,AAAA", Kind.DATA),
        ("https://h/a.png?sig=1::2", Kind.WEB),
        ("HTTP://[::1]/a.png", Kind.WEB),
        (" https://h:443/my picture.png\n", Kind.WEB),
        ("s3://b/a.png", Kind.STORED),
        ("S3A://b/a.png", Kind.STORED),
        ("gs://b/a.png", Kind.STORED),
        ("gcs://b/a.png", Kind.STORED),
        ("az://c/a.png", Kind.STORED),
        ("abfs://c/a.png", Kind.STORED),
        ("abfss://c/a.png", Kind.STORED),
        ("memory://a.png", Kind.STORED),
    ],
)
def test_what_is_allowed(reference: str, kind: Kind) -> None:
    assert kind_of(reference) is kind


def test_the_account_that_is_set_up_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "ours")
    assert kind_of("abfss://c@ours.dfs.core.windows.net/a.png") is Kind.STORED
    assert kind_of("az://Ours.blob.core.windows.net/c/a.png") is Kind.STORED
    with pytest.raises(UnreadableReference, match="not the one that is set up here"):
        kind_of("abfss://c@theirs.dfs.core.windows.net/a.png")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_pipe, "a pipe"),
        (_socket, "a socket"),
        (_to("/dev/zero"), "a device"),
        (_to("/dev/stdin"), "not a file"),
        (_to("/dev"), "a folder"),
        (_to("other"), "circle"),
        (_to("nowhere"), "no such file"),
        (Path.mkdir, "a folder"),
    ],
)
def test_only_regular_files_are_read(
    make: Callable[[Path], None], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name may be short only
    if says == "not a file":
        reading, writing = os.pipe()
        Path("p").symlink_to(f"/dev/fd/{reading}")
    else:
        writing = None
        make(Path("p"))
        if says == "circle":
            Path("other").symlink_to("p")
    began = time.monotonic()
    for spelled in ("p", f"{tmp_path}/p", f"file://{tmp_path}/p"):
        with pytest.raises(UnreadableReference, match=says):
            read(spelled, 1000)
    assert time.monotonic() - began < 60
    if writing is not None:
        os.close(writing)
        os.close(reading)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x" * 300, "its name is too long"),
        ("a\0b", "NUL"),
        ("a\ud83d", "cannot be read|no such file"),
        ("none.png", "no such file"),
        ("page.txt/a.png", "no such file"),
        ("C:\\film\\a.png", "no such file"),
        ("", "no such file"),
    ],
)
def test_names_that_no_file_has(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "page.txt").touch()
    with pytest.raises(UnreadableReference, match=says) as refused:
        read(name, 10)
    assert "Errno" not in str(refused.value)


def test_a_protocol_in_capitals_is_that_protocol(tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe("/capitals.png", b"abc")
    assert read("MEMORY://capitals.png", 10) == b"abc"
    assert full_name("Memory://capitals.png") == full_name("memory://capitals.png")
    assert version_of("Memory://capitals.png") == version_of("memory://capitals.png") is not None


def test_a_storage_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.asyn import AsyncFileSystem

    class Silent(AsyncFileSystem):  # type: ignore[misc]
        protocol = "s3"

        async def _info(self, path: str, **arguments: object) -> dict[str, object]:
            await asyncio.sleep(3600)
            return {}

    monkeypatch.setattr(references, "STORED_PATIENCE", 0.2)
    monkeypatch.setattr(
        references, "_opened", lambda reference: (Silent(skip_instance_cache=True), reference)
    )
    with pytest.raises(UnreadableReference, match="it has not arrived in time"):
        read("s3://bucket/a.png", 10)
    assert version_of("s3://bucket/a.png") is None


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 10)
    assert read(str(path), 10) == b"x" * 10
    with pytest.raises(UnreadableReference, match="more than"):
        read(str(path), 9)
    with (tmp_path / "sparse").open("wb") as out:
        out.truncate(1 << 40)
    with pytest.raises(UnreadableReference, match="more than"):
        read(str(tmp_path / "sparse"), 1_000_000)
    if Path("/proc/kmsg").exists():
        with pytest.raises(UnreadableReference):
            read("/proc/kcore", 1000)


def test_the_limit_holds_on_storages(s3_root: str) -> None:
    for root in (s3_root, "memory://limits"):
        storage = Storage(root)
        for name, size in (("empty", 0), ("small", 10), ("big", 11)):
            storage.write(name, b"x" * size)
        assert read(f"{root}/empty", 10) == b""
        assert read(f"{root}/small", 10) == b"x" * 10
        with pytest.raises(UnreadableReference, match="more than"):
            read(f"{root}/big", 10)
        with pytest.raises(UnreadableReference, match="no such file"):
            read(f"{root}/none", 10)
        assert version_of(f"{root}/small") != version_of(f"{root}/big")
    assert full_name("gcs://b/a") == full_name("gs://b/a") if _has("gcsfs") else True


def _has(package: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(package) is not None


@pytest.mark.parametrize(
    ("protocol", "package"),
    [("gs", "gcsfs"), ("s3", "s3fs"), ("az", "adlfs")],
)
def test_a_missing_package_is_named(protocol: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, protocol, raising=False)
    with pytest.raises(UnreadableReference, match=f"pip install {package}$"):
        read(f"{protocol}://bucket/a.png", 10)


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/gone"):
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        if self.path.startswith("/endless"):
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                return
        self.wfile.write(b"title: x\nshots: [{id: a, prompt: A boat.}]\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_board_on_the_web_is_read_up_to_a_limit(
    web: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["plan", f"{web}/boards/a.yaml?sig=a/b", "--json"]) == 0
    assert "A boat." in capsys.readouterr().out
    assert main(["plan", f"{web}/gone?sig=SECRETSIG"]) == 2
    said = capsys.readouterr().err
    assert "HTTP 404" in said
    assert "SECRETSIG" not in said
    assert main(["plan", f"{web}/endless"]) == 2
    assert "more than 10 MB" in capsys.readouterr().err


def test_relative_names_are_beside_their_file() -> None:
    assert folder_of("https://h/boards/a.yaml?sig=a/b#c") == "https://h/boards"
    assert next_to("https://h/boards", "refs/a.png") == "https://h/boards/refs/a.png"
    assert folder_of("s3://b/boards/a.yaml") == "s3://b/boards"
    assert folder_of("boards/a.yaml") == "boards"
    assert folder_of("a.yaml") == "."
    assert next_to("boards", "../a.png") == "a.png"
    for absolute in ("/x/a.png", "s3://b/a.png", "data:image/png;base64,", "reference://x", "HTTPS://h/a"):
        assert next_to("boards", absolute) == absolute


@pytest.mark.parametrize("root", ["simplecache::s3://b/x", "zip://a::/tmp/x.zip", "filecache::memory://x"])
def test_a_root_is_no_chain(root: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text("title: x\nshots: [{id: a, prompt: A boat.}]\n")
    for command in (["plan", "board.yaml"], ["render", "board.yaml", "--sandbox"], ["ledger"], ["resume"]):
        assert main([*command, "--root", root]) == 2
        assert "chain of protocols" in capsys.readouterr().err


@pytest.mark.usefixtures("nobody_opens")
@given(st.text(st.characters(exclude_categories=()), max_size=40), st.text(max_size=20))
def test_any_text_is_judged_in_one_line(before: str, after: str) -> None:
    for text in (before, f"{before}://{after}", f"{before}::{after}"):
        kind, said = None, ""
        with contextlib.suppress(UnreadableReference):
            kind = kind_of(text)
        assert "::" not in text or kind in (None, Kind.WEB, Kind.DATA)
        if kind is None:
            with pytest.raises(UnreadableReference) as refused:
                kind_of(text)
            said = str(refused.value)
        assert len(said) < 400
        assert len(said.splitlines()) < 2
        assert not any(ord(letter) < 32 for letter in said)


def test_steps_up_are_taken_on_storages_too() -> None:
    assert next_to("s3://lake/tables", "../pics/a b.png") == "s3://lake/pics/a b.png"
    assert next_to("s3://lake/tables", "./a.png") == "s3://lake/tables/a.png"
    assert next_to("s3://lake/tables", "x/../../../../a.png") == "s3://lake/a.png", "never out of the bucket"
    assert next_to("s3://lake", "../a.png") == "s3://lake/a.png"
    assert next_to("https://host/t", "../a..b.png") == "https://host/a..b.png"
    assert next_to("memory://", "a.png") == "memory:///a.png"
