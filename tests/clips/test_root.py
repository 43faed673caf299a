"""A root belongs to one kind of service, and is shared only where claims are exclusive."""

import asyncio
import socket
import sys
from pathlib import Path

import fsspec
import luigi
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from minimax_tasks import (
    ConfigurationError,
    RenderStoryboard,
    TextToVideo,
    TextToVideoRequest,
    VideoDataset,
    make,
)
from minimax_tasks.clips.root import check_payable, check_root, check_shareable, open_root
from minimax_tasks.commands.main import main
from minimax_tasks.storage import references
from minimax_tasks.storage.files import Storage
from tests.storyboard.boards import write_board


class Shelf(MemoryFileSystem):
    """A storage that nobody is known to create files exclusively on."""

    protocol = "shelf"


ONE = "title: One\nshots:\n  - {id: a, action: Rain.}\n"
REAL, DOUBLE = "https://api.minimaxi.com", "http://127.0.0.1:8000"


@pytest.mark.parametrize(("first", "second"), [(REAL, DOUBLE), (DOUBLE, REAL)])
def test_drawn_and_real_clips_are_never_mixed(tmp_path: Path, first: str, second: str) -> None:
    root = Storage(str(tmp_path))
    check_root(root, first)
    check_root(root, first)
    with pytest.raises(ConfigurationError, match="use another root"):
        check_root(root, second)


def test_regions_share_a_root(tmp_path: Path) -> None:
    check_root(Storage(str(tmp_path)), REAL)
    check_root(Storage(str(tmp_path)), "https://api.minimax.io")


def test_storage_without_exclusive_create_is_not_shared(tmp_path: Path) -> None:
    fsspec.register_implementation("shelf", Shelf, clobber=True)
    check_shareable(Storage(str(tmp_path)))
    with pytest.raises(ConfigurationError, match="memory of a process cannot be shared"):
        check_shareable(Storage("memory://shared"))
    with pytest.raises(ConfigurationError, match="workers cannot share this storage"):
        check_shareable(Storage("shelf://shared"))


def test_nothing_real_is_paid_on_storage_without_exclusive_create(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by one worker: nobody knows of the other run that looks whether a claim is there, and then writes its own."""
    fsspec.register_implementation("shelf", Shelf, clobber=True)
    for at in ("https://api.minimax.io", REAL):
        with pytest.raises(ConfigurationError, match=r"no exclusive create.*pay for the same clip"):
            check_payable(Storage("shelf://films"), at, shared=False)
    check_payable(Storage("shelf://drawn"), "http://127.0.0.1:1", shared=False)
    monkeypatch.setenv("MINIMAX_API_KEY", "sk-real")
    assert main(["render", write_board(tmp_path, ONE), "--root", "shelf://films"]) == 2
    assert "no exclusive create" in capsys.readouterr().err


def test_storage_that_replaces_what_must_be_new_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = type(fsspec.filesystem("memory"))
    original = memory.pipe_file
    monkeypatch.setattr(
        memory,
        "pipe_file",
        lambda self, path, value, mode="overwrite", **options: original(self, path, value, **options),
    )
    with pytest.raises(ConfigurationError, match="paid for twice"):
        check_root(Storage("memory://careless"), REAL)


SECRET = "hunter2hunter2"

ROOTS_WITH_SECRETS = (
    f"s3://someone:{SECRET}@bucket/films",
    f"ftp://someone:{SECRET}@127.0.0.1:1/films",
    f"sftp://some%40one:{SECRET}@host/films",
    f"S3://:{SECRET}@bucket",
    f"github://someone:{SECRET}@main/films",
    f"az://box/films?sv=2024&sig={SECRET}",
    f"https://account.blob.core.windows.net/box?sig={SECRET}",
    f"memory://someone:{SECRET}@films",
)

COMMANDS = (
    ("plan", "{board}"),
    ("render", "{board}"),
    ("render", "{board}", "--sandbox"),
    ("timeline", "{board}", "{board}.otio"),
    ("export", "{board}", "{board}.xml"),
    ("dataset", "{board}.parquet", "--plan"),
    ("dataset", "{board}.parquet"),
    ("ledger",),
    ("resume",),
    ("resolve", "0123456789abcdef", "--resubmit"),
    ("receive", "--port", "0"),
)


@pytest.fixture
def board(tmp_path: Path) -> str:
    path = tmp_path / "board.yaml"
    path.write_text('title: One\nshots:\n  - {id: "010", prompt: A boat.}\n', encoding="utf-8")
    Path(f"{path}.parquet").write_bytes(b"PAR1")
    return str(path)


EXTRAS = ("opentimelineio", "pyarrow", "s3fs", "adlfs", "gcsfs", "paramiko")
"""What an installation without extras has not."""


@pytest.fixture(params=["all is installed", "without extras"])
def _installed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without extras":
        for package in EXTRAS:
            monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize("root", ROOTS_WITH_SECRETS)
@pytest.mark.usefixtures("_installed")
def test_a_root_that_holds_a_secret_is_refused_at_every_door_and_not_shown(
    root: str, board: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIMAX_API_KEY", "test-key")
    said = []
    for command in COMMANDS:
        words = [word.format(board=board) for word in command]
        assert main([*words, "--root", root]) == 2, command
        said.append("".join(capfd.readouterr()))
    for door in (
        lambda: TextToVideo(prompt="A boat.", root=root),
        lambda: RenderStoryboard(storyboard=board, root=root),
        lambda: VideoDataset(table="table.csv", root=root),
        lambda: asyncio.run(make(TextToVideoRequest(prompt="A boat."), root=root)),
    ):
        with pytest.raises(ConfigurationError, match="cannot be used") as refused:
            door()
        said.append(f"{refused.value}{refused.value!r}")
    for words in said:
        assert "cannot be used" in words
        assert SECRET not in words


@pytest.mark.parametrize("pipeline", ["campaign", "dataset", "storyboard", "training", "upstream"])
def test_the_pipelines_judge_their_root_as_every_task_does(pipeline: str) -> None:
    module = __import__(f"pipelines.{pipeline}", fromlist=["x"])
    tasks = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, luigi.Task) and kind.__module__ == module.__name__
    ]
    roots = [parameter for task in tasks for name, parameter in task.get_params() if name == "root"]
    assert roots
    for parameter in roots:
        with pytest.raises(ConfigurationError):
            parameter.normalize(ROOTS_WITH_SECRETS[0])


@pytest.mark.parametrize(
    "root",
    [
        "http://127.0.0.1:1/a",
        "data:text/plain,hello",
        "DATA:,",
        "github://a/b",
        "zip://a.zip",
        "nothing://a",
        "dir://a",
    ],
)
def test_where_no_files_can_be_kept_is_no_root(
    root: str, board: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", board, "--root", root]) == 2
    said = capsys.readouterr().err
    assert "no place to keep files" in said or "there is no protocol nothing://" in said


@pytest.mark.parametrize(("url", "package"), [("gs://b/films", "gcsfs"), ("az://b/films", "adlfs")])
def test_a_package_that_is_missing_is_named_as_it_is_installed(
    url: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = url.partition(":")[0]
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, protocol, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    says = f"root = '{url}' cannot be used: {protocol}:// needs a package that is not installed: pip install {package}$"
    with pytest.raises(ConfigurationError, match=says):
        open_root(url)


@pytest.mark.parametrize(
    "root", ["s3://bucket/c#/a b", "az://box@account.dfs.core.windows.net/films", "memory://a"]
)
def test_what_can_be_shown_is_no_secret(root: str) -> None:
    references.judge_root(root)


def test_a_server_that_says_nothing_is_not_waited_for(
    board: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(references, "STORED_PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert main(["plan", board, "--root", f"ftp://127.0.0.1:{silent.getsockname()[1]}/films"]) == 2
    assert "cannot be used: it does not answer within" in capsys.readouterr().err


def test_a_cloud_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.asyn import AsyncFileSystem

    class Silent(AsyncFileSystem):  # type: ignore[misc]
        protocol = "s3"

        async def _cat_file(self, path: str, **arguments: object) -> bytes:
            await asyncio.sleep(3600)
            return b""

    monkeypatch.setattr(references, "STORED_PATIENCE", 0.3)
    monkeypatch.setattr(
        fsspec.core, "url_to_fs", lambda url, **options: (Silent(skip_instance_cache=True), url)
    )
    with pytest.raises(ConfigurationError, match="does not answer within"):
        open_root("s3://bucket/films")
