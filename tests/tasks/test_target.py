"""`FsspecTarget` behaves as Luigi asks of its file system targets, on every storage."""

import contextlib
import gc
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import luigi
import luigi.format
import luigi.target
import numpy as np
import pytest
from luigi.tools.deps import get_task_output_description

import minimax_tasks as mm
from minimax_tasks.storage import owner
from minimax_tasks.tasks.target import FsspecTarget


@pytest.fixture(params=["local", "file", "memory", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "s3":
            return str(request.getfixturevalue("s3_root"))
        case "memory":
            return f"memory://{uuid.uuid4().hex}"
        case "file":
            return f"file://{tmp_path}/a root"
    return str(tmp_path / "a root")


@pytest.fixture
def target(folder: str) -> FsspecTarget:
    return FsspecTarget(f"{folder}/deep/out [1].txt")


def drafts() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob(f"minimax-{owner.me().token}-*")}


def write(target: FsspecTarget, text: str) -> None:
    with target.open("w") as out:
        out.write(text)


def test_it_is_one_of_luigi_s_own(target: FsspecTarget) -> None:
    assert isinstance(target, luigi.target.FileSystemTarget)
    assert isinstance(target.fs, luigi.target.FileSystem)
    assert str(target) == target.path
    assert get_task_output_description(target) == f"[FileSystem] {target.path}"
    assert pickle.loads(pickle.dumps(target)) == target


def test_a_file_is_there_when_it_is_closed_and_not_before(target: FsspecTarget) -> None:
    file = target.open("w")
    assert file.write("lol\n") == 4
    assert not target.exists()
    file.close()
    assert target.exists()
    reading = target.open("r")
    assert reading.read() == "lol\n"
    reading.close()


def test_what_a_failing_block_wrote_is_not_there(target: FsspecTarget) -> None:
    before = drafts()

    def fail() -> None:
        with target.open("w") as out:
            out.write("hej\n")
            assert Path(out.tmp_path).exists()
            raise RuntimeError("in the block")

    with pytest.raises(RuntimeError, match="in the block"):
        fail()
    assert not target.exists()
    assert drafts() <= before


@pytest.mark.parametrize("form", [None, luigi.format.UTF8, luigi.format.Nop])
def test_a_file_that_nobody_closed_is_not_there(
    target: FsspecTarget, form: luigi.format.Format | None
) -> None:
    before = drafts()

    def forget() -> None:
        file = FsspecTarget(target.path, form).open("w")
        file.write(b"stuff" if form is luigi.format.Nop else "stuff")

    forget()
    gc.collect()
    assert not target.exists()
    assert drafts() <= before


def test_text_is_utf_8_whatever_the_locale_says(target: FsspecTarget) -> None:
    write(target, "我éçф\n")
    with target.open("rb") as file:
        assert file.read() == "我éçф\n".encode()
    for mode in ("r", "rt"):
        with target.open(mode) as file:
            assert file.read() == "我éçф\n"


def test_lines(target: FsspecTarget) -> None:
    with target.open("w") as out:
        out.writelines(["a\n", "b\n", "c\n"])
        print("d", file=out)
    assert list(target.open()) == ["a\n", "b\n", "c\n", "d\n"]
    with target.open() as file:
        assert [line.strip() for line in file] == ["a", "b", "c", "d"]


def test_bytes(folder: str) -> None:
    data = b"a\xf2\xf3\r\nfd"
    for number, (form, write_mode, read_mode) in enumerate(
        [(None, "wb", "rb"), (luigi.format.Nop, "w", "r"), (luigi.format.Nop, "wb", "rb")]
    ):
        target = FsspecTarget(f"{folder}/{number}.bin", format=form)
        with target.open(write_mode) as out:
            out.write(data)
        with target.open(read_mode) as file:
            assert file.read() == data


def test_formats_of_luigi_and_of_others(folder: str) -> None:
    class Marked(luigi.format.Format):
        def pipe_reader(self, input_pipe: object) -> object:
            input_pipe.mark = "reading"  # type: ignore[attr-defined]
            return input_pipe

        def pipe_writer(self, output_pipe: object) -> object:
            output_pipe.mark = "writing"  # type: ignore[attr-defined]
            return output_pipe

    target = FsspecTarget(f"{folder}/marked", Marked())
    with target.open("w") as out:
        assert out.mark == "writing"
    with target.open() as file:
        assert file.mark == "reading"
    target = FsspecTarget(f"{folder}/packed.gz", luigi.format.Gzip)
    packing = target.open("w")
    packing.write(b"test")
    assert not target.exists()
    packing.close()
    assert target.exists()
    with target.open() as file:
        assert file.read() == b"test"
    target = FsspecTarget(f"{folder}/text.gz", luigi.format.UTF8 >> luigi.format.Gzip)
    with target.open("w") as out:
        out.write("雾")
    with target.open() as file:
        assert file.read() == "雾"


def test_a_packed_file_of_a_failing_block_is_not_there(folder: str) -> None:
    target = FsspecTarget(f"{folder}/packed.gz", luigi.format.Gzip)
    with contextlib.suppress(RuntimeError), target.open("w") as out:
        out.write(b"half")
        raise RuntimeError
    assert not target.exists()


@pytest.mark.parametrize("mode", ["a", "r+", "x", "rbt", ""])
def test_other_modes_are_refused_with_those_that_are_not(target: FsspecTarget, mode: str) -> None:
    with pytest.raises(ValueError, match="allowed: r, w, rb, wb"):
        target.open(mode)


def test_a_missing_file_is_said_to_be_missing(target: FsspecTarget) -> None:
    with pytest.raises(FileNotFoundError):
        target.open().read()
    target.remove()


def test_what_the_documentation_of_luigi_does(target: FsspecTarget) -> None:
    import pandas as pd

    write(target, '{"a": 1}')
    assert json.load(target.open()) == {"a": 1}
    assert [json.loads(line) for line in target.open()] == [{"a": 1}]
    file = target.open("w")
    file.write("name,seconds\nwave,6\n")
    file.close()
    assert pd.read_csv(target.open()).to_dict("list") == {"name": ["wave"], "seconds": [6]}
    with target.open("w") as out:
        pd.DataFrame({"a": [1, 2]}).to_csv(out, index=False)
    assert pd.read_csv(target.open("rb"))["a"].tolist() == [1, 2]
    with target.open("wb") as out:
        np.savez(out, a=np.arange(3))
    with target.open("rb") as file, np.load(file) as found:
        assert found["a"].tolist() == [0, 1, 2]
    with target.open("wb") as out, io.TextIOWrapper(out, encoding="latin-1") as text:
        text.write("ü")
    assert target.open("rb").read() == b"\xfc"


def test_several_read_at_once(target: FsspecTarget) -> None:
    write(target, "abc")
    first, second = target.open(), target.open()
    assert (first.read(1), second.read(), first.read()) == ("a", "abc", "bc")


def test_moving_and_copying(target: FsspecTarget, tmp_path: Path) -> None:
    write(target, "one")
    copied, moved = FsspecTarget(f"{target.path}-copied"), FsspecTarget(f"{target.path}-moved")
    target.copy(copied.path)
    target.copy(copied.path)
    with pytest.raises(luigi.target.FileAlreadyExists):
        target.copy(copied.path, raise_if_exists=True)
    target.move(moved.path)
    assert not target.exists()
    with pytest.raises(luigi.target.FileAlreadyExists):
        moved.move(copied.path, raise_if_exists=True)
    assert [found.open().read() for found in (copied, moved)] == ["one", "one"]
    here = FsspecTarget(tmp_path / "elsewhere/here.txt")
    moved.move(here.path)
    assert here.open().read() == "one"
    assert not moved.exists()
    here.copy(target.path)
    assert target.open().read() == "one"


def test_renaming_never_replaces(target: FsspecTarget) -> None:
    write(target, "one")
    other = f"{target.path}-{uuid.uuid4().hex}"
    target.fs.rename_dont_move(target.path, other)
    assert not target.exists()
    with pytest.raises(luigi.target.FileAlreadyExists):
        target.fs.rename_dont_move(target.path, other)


def test_folders(folder: str) -> None:
    fs = FsspecTarget.fs
    for name in ("a/1.txt", "a/b/2.txt"):
        write(FsspecTarget(f"{folder}/{name}"), name)
    assert fs.exists(f"{folder}/a")
    assert fs.isdir(f"{folder}/a")
    assert not fs.isdir(f"{folder}/a/1.txt")
    assert [path.removeprefix(folder) for path in fs.listdir(f"{folder}/a")] == ["/a/1.txt", "/a/b/2.txt"]
    with pytest.raises(luigi.target.FileAlreadyExists):
        fs.mkdir(f"{folder}/a", raise_if_exists=True)
    with pytest.raises(luigi.target.NotADirectory):
        fs.mkdir(f"{folder}/a/1.txt")
    fs.mkdir(f"{folder}/a")
    fs.copy(f"{folder}/a", f"{folder}/c")
    fs.move(f"{folder}/c", f"{folder}/d")
    assert not fs.exists(f"{folder}/c")
    assert FsspecTarget(f"{folder}/d/b/2.txt").open().read() == "a/b/2.txt"
    with pytest.raises(IsADirectoryError):
        fs.remove(f"{folder}/d", recursive=False)
    fs.remove(f"{folder}/d")
    assert not fs.exists(f"{folder}/d")
    with pytest.raises(FileNotFoundError):
        fs.remove(f"{folder}/d")


def test_a_folder_without_parent(tmp_path: Path) -> None:
    with pytest.raises(luigi.target.MissingParentDirectory):
        FsspecTarget.fs.mkdir(tmp_path / "none/new", parents=False)
    FsspecTarget.fs.mkdir(tmp_path / "none/new")
    FsspecTarget(tmp_path / "other/x.txt").makedirs()
    assert (tmp_path / "none/new").is_dir()
    assert (tmp_path / "other").is_dir()


def test_a_temporary_path_is_on_the_storage_of_the_target(target: FsspecTarget) -> None:
    with target.temporary_path() as outer:
        assert outer.startswith(f"{target.path}-luigi-tmp-")
        with FsspecTarget(f"{target.path}-inner").temporary_path() as inner:
            write(FsspecTarget(inner), "inner")
        write(FsspecTarget(outer), "outer")
        assert not target.exists()
    assert target.open().read() == "outer"
    assert FsspecTarget(f"{target.path}-inner").open().read() == "inner"


def test_a_temporary_path_of_a_failing_block_is_gone(target: FsspecTarget, folder: str) -> None:
    with contextlib.suppress(RuntimeError), target.temporary_path() as draft:
        write(FsspecTarget(draft), "half")
        raise RuntimeError
    assert not target.exists()
    assert list(target.fs.listdir(folder)) == []


def test_a_program_writes_to_a_temporary_path(tmp_path: Path) -> None:
    target = FsspecTarget(tmp_path / "made/by a program.txt")
    with target.temporary_path() as draft:
        subprocess.run(
            [sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write('x')", draft], check=True
        )
    assert target.open().read() == "x"


def test_where_it_stands_for_a_path(tmp_path: Path, target: FsspecTarget) -> None:
    import pandas as pd

    write(target, "a\n1\n")
    assert pd.read_csv(target)["a"].tolist() == [1]
    assert os.fspath(FsspecTarget(f"file://{tmp_path}/x")) == str(tmp_path / "x")


class Copy(luigi.Task):
    source = luigi.Parameter()
    folder = luigi.Parameter()

    def requires(self) -> luigi.Task:
        return Given(self.source)

    def output(self) -> FsspecTarget:
        return FsspecTarget(f"{self.folder}/copy.csv")

    def run(self) -> None:
        import pandas as pd

        out = self.output().open("w")
        pd.read_csv(self.input().open()).to_csv(out, index=False)
        out.close()


class Given(luigi.ExternalTask):
    path = luigi.Parameter()

    def output(self) -> FsspecTarget:
        return FsspecTarget(self.path)


def test_in_a_pipeline_with_both_workers(folder: str) -> None:
    write(FsspecTarget(f"{folder}/given.csv"), "a,b\n1,2\n")
    task = Copy(source=f"{folder}/given.csv", folder=f"{folder}/plain")
    assert luigi.build([task], local_scheduler=True, log_level="WARNING")
    assert mm.build([Copy(source=f"{folder}/given.csv", folder=f"{folder}/ours")])
    assert task.output().open().read() == "a,b\n1,2\n"
