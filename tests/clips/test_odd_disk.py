"""The life of a clip, with kills, on a file system that folds case, has no links and keeps open files as they are."""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from minimax_tasks import UncertainSubmit
from minimax_tasks.clips.folder import is_dead
from minimax_tasks.clips.ledger import Spending, payments
from minimax_tasks.clips.timing import Timing
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.drafts import draft_name
from tests import odd_disk
from tests.clips.test_life import TEXT, folder_of, make, names
from tests.clips.test_money import _Death, kill
from tests.dying import Killed, killed_at, operations_below

Death = Callable[[Path, pytest.MonkeyPatch, random.Random], AbstractContextManager[None]]

SEEDS = range(12)

FILE_OPERATIONS = 30
"""About as many as one clip takes from its request to its video."""


@pytest.mark.parametrize("links", ["refused", "missing"])
def test_a_clip_is_made_there(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: str
) -> None:
    odd_disk.simulate(monkeypatch, tmp_path / "root", links)
    folder = make(sandbox.url, TEXT, tmp_path / "root")
    make(sandbox.url, TEXT, tmp_path / "ROOT")
    assert "video.mp4" in names(folder)
    assert [payment.state for payment in payments(folder.root)] == ["delivered"]
    assert not [name for name in names(folder) if name.endswith(".part")]


@pytest.mark.parametrize("title", ["CON", "Cafe\u0301: a <b>?", "雾" * 85, "हिन्दी फिल्म..."])
def test_a_film_and_a_dataset_have_names_that_it_takes(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    """And the second run finds them there, however the disk writes the same letters."""
    root = tmp_path / "root"
    board = tmp_path / "board.yaml"
    shots = '[{id: con, prompt: Rain.}, {id: "雾", prompt: Sun., cut: true}]'
    board.write_text(f"title: {json.dumps(title)}\nshots: {shots}\n", encoding="utf-8")
    table = tmp_path / "table.csv"
    table.write_text("prompt\nRain.\n", encoding="utf-8")
    odd_disk.simulate(monkeypatch, root)
    for words in (["render", board], ["dataset", table, "--name", title]) * 2:
        assert main([*map(str, words), "--root", str(root)]) == 0
    assert len(sandbox.ledger()) == 2
    assert len(list(root.glob("films/*/film.mp4"))) == 1
    assert len(list(root.glob("datasets/*/metadata.jsonl"))) == 1


@contextlib.contextmanager
def death_between_operations(
    root: Path, monkeypatch: pytest.MonkeyPatch, dice: random.Random
) -> Iterator[None]:
    """Before or after an operation of the storage."""
    with monkeypatch.context() as patched:
        kill(patched, dice.randint(1, 24), dice.choice(["before", "after"]))
        yield


@contextlib.contextmanager
def death_inside_an_operation(
    root: Path, monkeypatch: pytest.MonkeyPatch, dice: random.Random
) -> Iterator[None]:
    """Before a file of the root is opened for writing, named, moved or removed."""
    with operations_below(root, killed_at(dice.randint(1, FILE_OPERATIONS))):
        yield


@pytest.mark.parametrize("death", [death_between_operations, death_inside_an_operation])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_kills_pay_once(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, death: Death, seed: int
) -> None:
    """Up to three processes die one after the other."""
    dice = random.Random(seed)
    root = tmp_path / "root"
    odd_disk.simulate(monkeypatch, root, dice.choice(["refused", "unsupported", "unknown", "missing"]))
    timing = Timing(claim_patience=0.05, claim_look=0.02)
    for _ in range(dice.randint(1, 3)):
        with death(root, monkeypatch, dice), contextlib.suppress(_Death, Killed, UncertainSubmit):
            make(sandbox.url, TEXT, root, timing)
    try:
        make(sandbox.url, TEXT, root, timing)
    except UncertainSubmit:
        assert "video.mp4" not in names(folder_of(TEXT, root))
    else:
        assert "video.mp4" in names(folder_of(TEXT, root))
    assert len(sandbox.ledger()) <= 1


def test_a_clip_takes_as_many_operations_as_kills_are_thrown_for(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd_disk.simulate(monkeypatch, tmp_path / "root")
    with operations_below(tmp_path / "root") as operations:
        make(sandbox.url, TEXT, tmp_path / "root")
    assert FILE_OPERATIONS - 10 < operations.count < FILE_OPERATIONS + 10


def test_a_claim_that_a_kill_left_empty_counts_with_its_price(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = folder_of(TEXT, tmp_path)
    asyncio.run(folder.claim(1, TEXT, "n" * 32))
    claim = tmp_path / "clips" / folder.key / "claim.1.json"
    claim.with_name(draft_name("claim.1.json")).write_bytes(claim.read_bytes())
    claim.write_bytes(b"")
    (payment,) = payments(folder.root)
    assert (payment.state, payment.usd) == ("in doubt", TEXT.request.usd)
    assert Spending(folder.root).total() == TEXT.request.usd
    assert not is_dead(asyncio.run(folder.claimed(1)))
    with pytest.raises(UncertainSubmit, match="may have been paid"):
        make(sandbox.url, TEXT, tmp_path, Timing(claim_patience=0.05))
    assert sandbox.ledger() == []
