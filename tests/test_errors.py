"""The exceptions of the package are one tree, which its docstring draws; and the public names are what they say."""

import copy
import importlib
import inspect
import pickle
import pkgutil
import re
from collections.abc import Iterator

import pytest

import minimax_tasks
from minimax_tasks import errors
from minimax_tasks.errors import ControlFlow, MiniMaxError, Verdict

CONTROL_FLOW = {
    "minimax_tasks.api.bodies.TooLong",
    "minimax_tasks.api.bodies.Unreadable",
    "minimax_tasks.api.client._TooSlow",
    "minimax_tasks.api.picture_files._Damaged",
    "minimax_tasks.clips.download._Unsound",
    "minimax_tasks.clips.submit._NotMine",
    "minimax_tasks.prompts.bounds.TooMuch",
    "minimax_tasks.prompts.confined.Exceeded",
    "minimax_tasks.prompts.sentences.NoText",
    "minimax_tasks.sandbox.drawing.draw_clip.Abandoned",
    "minimax_tasks.sandbox.http.app._TooLarge",
    "minimax_tasks.sandbox.http.broken_responses._Cut",
    "minimax_tasks.sandbox.http.v2.wire.Rejected",
    "minimax_tasks.sandbox.http.wire.Refused",
    "minimax_tasks.storage.disk_process.ProcessEnded",
    "minimax_tasks.storyboard.yaml_document._Unreadable",
    "minimax_tasks.video.plain_mp4._Unusual",
}
"""Raised and caught inside the package."""

ENDS_A_THREAD = {"minimax_tasks.tasks.plain._TimedOut"}
"""Put into a thread from outside, where nothing may catch it but Luigi."""

MADE_WITH: dict[str, tuple[object, ...]] = {
    "InvalidRequest": ("duration", 7, (6, 10)),
    "PictureError": ("first_frame_image", "a.png", "at least 300 pixels", "it is small"),
    "InputError": (["line 3: no such key", "line 4: no such shot"],),
    "BoardError": (["line 3: no such key"],),
    "TableError": (["row 3: no such column"],),
}
"""What the constructor of an error takes when it is not a message alone."""


def modules() -> Iterator[str]:
    """All but the folders of other engines, which need those engines and define no exceptions."""
    for found in pkgutil.walk_packages(minimax_tasks.__path__, "minimax_tasks."):
        needs_another_engine = found.name.startswith("minimax_tasks.engines.") and (
            found.ispkg or found.name.count(".") > 2
        )
        if not (found.name.endswith("__main__") or needs_another_engine):
            yield found.name


def exceptions() -> dict[str, type[BaseException]]:
    """Full name -> class, of every exception that any module of the package defines."""
    return {
        f"{name}.{kind.__qualname__}": kind
        for name in modules()
        for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass)
        if issubclass(kind, BaseException) and kind.__module__ == name
    }


def drawn() -> dict[str, str]:
    """Name -> name of its parent, as the docstring of the module draws the tree."""
    found, path = {}, [""] * 9
    for line in (errors.__doc__ or "").splitlines():
        if node := re.fullmatch(r"( +)(?:[×·] )?([A-Z]\w+)(  .*)?", line):
            depth = len(node[1]) // 2 - 2
            path[depth] = node[2]
            found[node[2]] = path[depth - 1] if depth else ""
    return found


def test_every_exception_is_in_the_tree_or_stays_inside() -> None:
    everywhere = exceptions()
    public = {name for name in everywhere if name.startswith("minimax_tasks.errors.")}
    assert set(everywhere) - public == CONTROL_FLOW | ENDS_A_THREAD
    assert all(issubclass(everywhere[name], ControlFlow) for name in CONTROL_FLOW)
    kinds = {everywhere[name] for name in public} - {ControlFlow}
    assert all(issubclass(kind, MiniMaxError | UserWarning) for kind in kinds)


def test_the_docstring_draws_the_tree() -> None:
    kinds = {kind for name, kind in exceptions().items() if name.startswith("minimax_tasks.errors.")}
    tree = {kind.__name__: kind for kind in kinds - {ControlFlow}}
    found = drawn()
    assert found.keys() == tree.keys() | {"UserWarning"}
    for name, kind in tree.items():
        assert found[name] == ("" if kind is MiniMaxError else kind.__bases__[0].__name__), name


def test_the_values_that_are_wrong_are_value_errors() -> None:
    marked = set(re.findall(r"(\w+) +\(ValueError\)", errors.__doc__ or ""))
    direct = {kind.__name__ for kind in exceptions().values() if ValueError in kind.__bases__}
    assert marked == direct - {"NoText"}


def test_every_error_is_public_and_every_public_name_is_documented() -> None:
    public = set(minimax_tasks.__all__)
    assert {name for name in drawn() if name != "UserWarning"} <= public
    assert len(minimax_tasks.__all__) == len(public)
    assert public <= set(dir(minimax_tasks))
    for name in public:
        value = getattr(minimax_tasks, name)
        assert value.__name__ == name
        assert inspect.getdoc(value), name
    assert public == {name for names in minimax_tasks._HOMES.values() for name in names}


@pytest.mark.parametrize("name", [name for name in drawn() if name != "UserWarning"])
def test_an_error_survives_the_way_to_another_process(name: str) -> None:
    kind = getattr(minimax_tasks, name)
    error = kind(*MADE_WITH.get(name, ("something happened",)))
    error.noted = "by hand"
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert str(other) == str(error)
        assert vars(other) == vars(error)


def test_what_the_service_said_survives_too() -> None:
    error = minimax_tasks.RateLimited("busy", code=1002, trace_id="abc", verdict=Verdict.RETRY_LATER)
    other = pickle.loads(pickle.dumps(error))
    assert (other.code, other.trace_id, other.verdict) == (1002, "abc", Verdict.RETRY_LATER)
    assert str(other) == "busy [Trace-Id abc]"
