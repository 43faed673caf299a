"""Every code block of README and docs does what the page says, offline.

The blocks of a page are run from top to bottom in one folder, as a reader would. A block that cannot run here
says so in its title: `title="Not run by our tests: it needs Windows"`. Titles that are names of files write
the block to that file first. Pictures, sounds and clips that a board or a table names and that are not there are made.
"""

import ast
import configparser
import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from PIL import Image

from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.video.slate import write_slate
from tests.docs.pages import ENGINE_PAGES, NOT_RUN, PAGES, REPOSITORY, Block, blocks

SHELL = ("sh", "console")
SHOWN = ("", "text")
"""Languages of blocks that hold what a command prints, or a tree of files."""

PICTURE = re.compile(r"[\w./-]+\.(?:jpe?g|png|webp)\b")
SOUND = re.compile(r"[\w./-]+\.(?:wav|mp3)\b")
CLIP = re.compile(r"[\w./-]+\.mp4\b")
SHIMS = ("make", "pip", "minimax-tasks", "luigi", "python", "python3", "git", "luigid")


def _marked(page: Path) -> Any:
    """A page that makes a film, or runs pytest, takes longer than `make check` has time for."""
    text = page.read_text(encoding="utf-8")
    takes_long = any(words in text for words in ("minimax-tasks render", "RenderStoryboard(", "def test_"))
    return pytest.param(
        page, marks=pytest.mark.slow if takes_long else (), id=str(page.relative_to(REPOSITORY))
    )


@pytest.mark.parametrize("page", [_marked(page) for page in PAGES if page not in ENGINE_PAGES])
def test_blocks_do_what_the_page_says(page: Path, reader: "Reader") -> None:
    for block in blocks(page):
        try:
            reader.run(block)
        except (AssertionError, Exception, SystemExit) as error:
            raise AssertionError(f"{block.place}: {type(error).__name__}: {error}") from error


def test_a_block_that_is_not_run_says_why() -> None:
    for block in (block for page in PAGES for block in blocks(page)):
        reason = block.title.removeprefix(NOT_RUN)
        assert block.is_run or len(reason.split()) >= 3, block.place


class Reader:
    """Somebody who follows a page in a folder of their own, with the sandbox for the service."""

    def __init__(self, folder: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.capsys = capsys
        self.servers: list[subprocess.Popen[str]] = []
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.doing: dict[str, Callable[[Block], None]] = {
            "python": self.python,
            "yaml": self.yaml,
            "jinja": self.jinja,
            "csv": self.table,
            "json": lambda block: json.loads(block.text),
            "ini": self.luigi_configuration,
            "toml": self.toml,
        }

    def run(self, block: Block) -> None:
        """Do what a block says. Raises when it cannot be done."""
        if not block.is_run:
            self.check_installs(block.text)
            return
        if re.fullmatch(r"[\w./-]+\.\w+", block.title):
            path = self.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        if block.language in SHELL:
            self.shell(block)
        elif block.language not in SHOWN:
            assert block.language in self.doing, f"no way to run {block.language!r}"
            self.doing[block.language](block)

    def shell(self, block: Block) -> None:
        """Commands of ours in this process, everything else in a shell with stand-ins that check it."""
        self.check_installs(block.text)
        for line in re.sub(r"\\\n\s*", " ", block.text).splitlines():
            words = shlex.split(line, comments=True)
            if not words:
                continue
            for path in words:
                self.draw_what_is_named_in(path)
            if words[0] == "export":
                for name, _, value in (word.partition("=") for word in words[1:]):
                    # The sandbox stands for the service, whatever the page says about addresses.
                    if name not in ("MINIMAX_BASE_URL", "FSSPEC_S3_ENDPOINT_URL"):
                        os.environ[name] = value
            elif line.rstrip().endswith("&"):
                self.serve(line.rstrip().removesuffix("&"))
            elif words[0] == "minimax-tasks" and not re.search(r"[|&><$]", line):
                small = ["--scale", "90P"] if words[1] == "render" and "--sandbox" in words else []
                code = main([*words[1:], *small])
                said = self.capsys.readouterr()
                assert code == 0, f"{line}\nexit code {code}\n{said.out}\n{said.err}"
            elif words[0] == "curl" and not shutil.which("curl"):
                pytest.skip(f"{block.place} NOT TRIED: there is no curl")
            else:
                done = subprocess.run(
                    ["sh", "-ec", line],
                    cwd=self.folder,
                    env=os.environ,
                    capture_output=True,
                    text=True,
                    timeout=120,
                    check=False,
                )
                assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"

    def serve(self, line: str) -> None:
        """A server that runs beside the rest of the page, up to its end."""
        server = subprocess.Popen(
            ["sh", "-c", f"exec {line}"],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.servers.append(server)
        assert server.stdout is not None
        assert "http://" in server.stdout.readline(), line

    def check_installs(self, text: str) -> None:
        """What a page has installed is this checkout with an extra that exists, or a package it asks for."""
        import tomllib

        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        asked = [
            *project["dependencies"],
            *(each for extra in project["optional-dependencies"].values() for each in extra),
        ]
        known = {Requirement(each).name for each in asked} | {"pip"}
        for line in re.findall(r"pip install ([^#\n|;&]*)", text):
            for word in shlex.split(line.replace("\\", "/")):
                if word.startswith("-"):
                    continue
                place, _, extra = word.rstrip("]").partition("[")
                if place == "." or place.startswith(("./", "/")):
                    assert not extra or extra in project["optional-dependencies"], line
                else:
                    assert Requirement(place).name in known, f"{line}: ours is on no index"

    def python(self, block: Block) -> None:
        """A test is given to pytest; everything else is run, with the names of the blocks before."""
        for path in PICTURE.findall(block.text):
            self.draw_what_is_named_in(path)
        if "def test_" in block.text:
            (self.folder / "test_page.py").write_text(block.text, encoding="utf-8")
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]
            plugin = [] if _has_plugin() else ["-p", "minimax_tasks_pytest"]
            done = subprocess.run(
                [*command, *plugin], cwd=self.folder, capture_output=True, text=True, check=False, timeout=300
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(block.text, block.place, "exec", flags=flags)
        import asyncio
        import inspect

        outcome = eval(code, self.names)
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)

    def yaml(self, block: Block) -> None:
        """A board is planned, shots and keys of a board are put into one first; faults are judged."""
        value = yaml.safe_load(block.text)
        if isinstance(value, list) and all("at" in each for each in value):
            with Sandbox(faults=value, latency=0):
                return
        if isinstance(value, list):
            value = {"shots": value}
        from minimax_tasks.storyboard.board import Board, Shot

        of_board = set(Board.model_fields) - {"language"}
        of_shot = {field.alias or name for name, field in Shot.model_fields.items()}
        if isinstance(value.get("title"), dict | list):
            of_board -= {"title"}  # words over a shot
        if not set(value) & of_board and set(value) <= of_shot:
            value = {"shots": [{"id": "000", "prompt": "Rain."}, {"id": "010"} | value]}
        beds = value.get("audio", ())
        ends = [bed.get(end) for bed in beds if isinstance(bed, dict) for end in ("from", "to")]
        ids = sorted({"010", *(end for end in ends if isinstance(end, str))})
        value = {"title": "Page", "shots": [{"id": name, "prompt": "Rain."} for name in ids]} | value
        named = {name for shot in value["shots"] for name in shot.get("characters", [])}
        value = {"cast": {name: f"somebody called {name}" for name in sorted(named)}} | value
        for number, shot in enumerate(value["shots"]):
            shot.setdefault("id", f"{number:03}")
            if not {"prompt", "template", "action"} & set(shot):
                shot["action"] = "Rain falls."
        if (burnt := value.get("captions")) and not any("dialogue" in shot for shot in value["shots"]):
            language = burnt["burn"] if isinstance(burnt, dict) else "en"
            value["shots"][0]["dialogue"] = {language: "It is late."}
        given = yaml.safe_load(block.text)
        is_whole = isinstance(given, dict) and {"title", "shots"} <= set(given)
        text = block.text if is_whole else yaml.safe_dump(value, sort_keys=False)
        for path in PICTURE.findall(text):
            self.draw_what_is_named_in(path)
        for path in SOUND.findall(text):
            self.record(self.folder / path)
        for path in CLIP.findall(text):
            self.film(self.folder / path)
        name = block.title if block.title.endswith((".yaml", ".yml")) else "page.yaml"
        (self.folder / name).write_text(text, encoding="utf-8")
        self._plan(name)

    def jinja(self, block: Block) -> None:
        """A template, or the text of a prompt."""
        template = self.folder / "prompt_templates" / f"page{block.line}.j2"
        template.parent.mkdir(exist_ok=True)
        template.write_text(block.text, encoding="utf-8")
        board = {
            "title": "Page",
            "cast": {"mara": "a woman in a yellow coat", "tom": "a man in a grey hat"},
            "shots": [
                {
                    "id": "010",
                    "template": template.stem,
                    "characters": ["mara", "tom"],
                    "camera": "push in",
                    "action": "wait for the ferry.",
                    "place": "a pier",
                    "dialogue": "It is late.",
                }
            ],
        }
        (self.folder / "page.yaml").write_text(yaml.safe_dump(board, sort_keys=False), encoding="utf-8")
        self._plan("page.yaml")

    def _plan(self, board: str) -> None:
        code = main(["plan", board, "--root", "planned"])
        said = self.capsys.readouterr()
        assert code == 0, said.err

    def table(self, block: Block) -> None:
        """A table is planned as a dataset."""
        from minimax_tasks import VideoDataset

        for path in PICTURE.findall(block.text):
            self.draw_what_is_named_in(path)
        assert block.title.endswith(".csv"), "give the table a name"
        rows = list(csv.DictReader(block.text.splitlines()))
        dataset = VideoDataset(table=str(self.folder / block.title), root="planned")
        assert len(dataset.plan.rows) == len(rows)

    def luigi_configuration(self, block: Block) -> None:
        """Settings of the section `[minimax]` exist, and their values are allowed."""
        from minimax_tasks import Settings

        parser = configparser.ConfigParser()
        parser.read_string(block.text)
        if parser.has_section("minimax"):
            Settings.load(**dict(parser["minimax"]))
            assert set(parser["minimax"]) <= set(Settings.model_fields)

    def toml(self, block: Block) -> None:
        """Parses."""
        import tomllib

        tomllib.loads(block.text)

    def record(self, path: Path) -> None:
        """A second of silence that a page takes for granted, whatever its ending promises."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(16_000))

    def film(self, path: Path) -> None:
        """Three seconds of a card that a page takes for granted."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_slate(str(path), (640, 360), Fraction(24), 3.0, path.stem, ())

    def draw_what_is_named_in(self, text: str) -> None:
        """Pictures that a page takes for granted, each of its own colours."""
        for name in PICTURE.findall(text):
            path = self.folder / name
            if (
                "://" in text
                or path.exists()
                or (path.is_absolute() and not path.is_relative_to(self.folder))
            ):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            seed = sum(name.encode())
            picture = Image.linear_gradient("L").resize((640, 360))
            shades = [
                picture.point([(value * (seed % k + 1)) % 256 for value in range(256)]) for k in (3, 5, 7)
            ]
            Image.merge("RGB", shades).save(path)


def _has_plugin() -> bool:
    from importlib.metadata import entry_points

    return any(point.name == "minimax_tasks_pytest" for point in entry_points(group="pytest11"))


_SHIM = """#!/bin/sh
# Stands for {name} on the pages of the docs.
exec {python} {script} {name} "$@"
"""


@pytest.fixture
def reader(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Reader]:
    """A reader in a folder that looks like a checkout."""
    for name in ("pipelines", "minimax_tasks", "Makefile", "pyproject.toml"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in SHIMS:
        shim = programs / name
        shim.write_text(
            _SHIM.format(name=name, python=sys.executable, script=REPOSITORY / "tests/docs/stand_in.py")
        )
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}{os.pathsep}{tmp_path}")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = dict(os.environ)
    with Sandbox(latency=0.0, scale="90P") as sandbox:
        os.environ |= {
            "MINIMAX_BASE_URL": sandbox.url,
            "MINIMAX_API_KEY": "any",
            "MINIMAX_REQUESTS_PER_MINUTE": "0",
            "MINIMAX_POLL_INTERVAL": "0.05",
        }
        reader = Reader(tmp_path, sandbox, capsys)
        try:
            yield reader
        finally:
            for server in reader.servers:
                server.kill()
                server.communicate()
            os.environ.clear()
            os.environ.update(before)
