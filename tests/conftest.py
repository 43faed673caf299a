"""What every test gets: no settings of the machine it runs on, and pictures to work with."""

import contextlib
import functools
import gc
import importlib
import io
import itertools
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from PIL import Image, ImageDraw

from tests.drawn_once import DRAWN, draw_once

if TYPE_CHECKING:
    from minimax_tasks.sandbox import Sandbox

Picture = Callable[..., Path]

LOGGERS = ("", "minimax_tasks", "luigi", "luigi-interface", "httpcore")

NEEDS = {
    "s3": "s3", "s3_root": "s3", "azure": "azure", "browser": "browser",
    "airflow": "engines", "dagster": "engines", "prefect": "engines",
}  # fmt: skip
"""Fixture, or value of a parameter -> the mark of the tests that need it."""


def pytest_configure(config: pytest.Config) -> None:
    """One folder of drawn clips for all tests; those who run side by side inherit its name."""
    if DRAWN not in os.environ:
        os.environ[DRAWN] = folder = tempfile.mkdtemp(prefix="drawn-")
        config.add_cleanup(lambda: _forget(folder))


def _forget(folder: str) -> None:
    del os.environ[DRAWN]
    shutil.rmtree(folder, ignore_errors=True)


def pytest_collection(session: pytest.Session) -> None:
    """Import the files of tests in another order in each of the processes that run them side by side.

    Where none is compiled yet, each would compile all of them at the same moment; so each begins with others, and finds
    the rest done. What cannot be imported is told when it is collected.
    """
    gc.disable()  # nearly all that is made here stays
    given = getattr(session.config, "workerinput", None)
    if given is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    files = sorted(session.config.rootpath.glob("tests/**/test_*.py"))
    begin = len(files) * int(given["workerid"].removeprefix("gw")) // given["workercount"]
    for file in (*files[begin:], *files[:begin]):
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(session.config.rootpath).with_suffix("").parts))


def pytest_collection_finish() -> None:
    """Thousands of tests are no garbage: it is not looked for among them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What others tested left thousands of reports here and no garbage, which pytest would look for ten times at the end."""
    if hasattr(session.config, "workerinput") or session.config.getoption("dist", "no") == "no":
        return
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they ask for, so that `make check` leaves out what needs servers of others."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if (parameters := getattr(item, "callspec", None)) is not None:
            asked |= {value for value in parameters.params.values() if isinstance(value, str)}
        for mark in {NEEDS[name] for name in asked if name in NEEDS}:
            item.add_marker(mark)


# How long an example takes says how busy the machine is, not whether the example is right.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=15)  # of `make check`
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No key, no root and no Luigi configuration from outside; relative paths go to the test's folder."""
    import luigi  # not where nothing is tested: it brings half of the package along

    for name in list(os.environ):
        if name.startswith("MINIMAX_") or name == "LUIGI_CONFIG_PATH":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    luigi.task_register.Register.clear_instance_cache()
    configuration = luigi.configuration.get_config()
    configuration.remove_section("minimax")
    # Luigi takes tests that run side by side for one command that was started twice.
    configuration.set("core", "lock_pid_dir", str(tmp_path / "luigi-locks"))
    yield
    configuration.remove_option("core", "lock_pid_dir")
    configuration.remove_section("minimax")


@pytest.fixture(autouse=True)
def _own_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command, Luigi or a page of the docs may set up the logs of the process: for the tests after it they do not."""
    from luigi.setup_logging import InterfaceLogging

    monkeypatch.setattr(InterfaceLogging, "_configured", InterfaceLogging._configured)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        if logger.level != level:  # to set it empties what all loggers remember
            logger.setLevel(level)
        logger.handlers[:] = handlers


_FOLDERS = itertools.count()


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the test's own, as pytest's, which takes longer than most tests: it looks through those of all before."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}{next(_FOLDERS)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    """Draws a still: `picture("pier.png", "teal", size=(640, 360))`."""

    def draw(name: str, colour: str = "teal", size: tuple[int, int] = (640, 360), **save: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_still(path.suffix, colour, size, tuple(save.items())))
        return path

    return draw


@functools.cache
def _still(ending: str, colour: str, size: tuple[int, int], save: tuple[tuple[str, Any], ...]) -> bytes:
    image = Image.new("RGB", size, colour)
    width, height = size
    pen = ImageDraw.Draw(image)
    pen.ellipse((width * 0.1, height * 0.1, width * 0.4, height * 0.6), fill="gold")
    pen.rectangle((width * 0.6, height * 0.5, width * 0.9, height * 0.9), fill="maroon")
    out = io.BytesIO()
    image.save(out, **{"format": Image.registered_extensions()[ending.lower()], **dict(save)})
    return out.getvalue()


@pytest.fixture(scope="session", autouse=True)
def _drawn_once() -> Iterator[None]:
    """What sandboxes draw, and what reports show of it, is made once for all tests: the same each time, and slow."""
    with pytest.MonkeyPatch.context() as patch:
        draw_once(patch, Path(os.environ[DRAWN]))
        yield


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator["Sandbox"]:
    """A sandbox that draws small and at once, with the settings pointed at it."""
    from minimax_tasks.sandbox import Sandbox

    with Sandbox(latency=0.0, scale="90P") as running:
        point_at(monkeypatch, running.url)
        yield running


def point_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Settings for a server on this machine."""
    monkeypatch.setenv("MINIMAX_BASE_URL", url)
    monkeypatch.setenv("MINIMAX_API_KEY", "test-key")
    monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "0")
    monkeypatch.setenv("MINIMAX_POLL_INTERVAL", "0.05")


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """A real S3 server; the environment that points a child process at it."""
    from tests.s3 import s3_server

    with s3_server() as environment:
        yield environment


@pytest.fixture
def s3_root(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh root on the S3 server, in this process and its children."""
    import uuid

    from tests.s3 import BUCKET

    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def azure() -> Iterator[str]:
    """A container on Azurite."""
    from tests.azure import azurite

    with azurite() as container:
        yield container
