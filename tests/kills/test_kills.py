"""A few of the real kills that `python -m tests.kills` makes by the hundred."""

import sys
from pathlib import Path

import pytest

from tests.kills.lives import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


def test_workers_that_are_killed_pay_once_and_deliver(tmp_path: Path) -> None:
    tally = run(4, 7, tmp_path, a_life=4)
    assert tally.kills >= 4
    assert tally.paid == tally.delivered + tally.paid_in_doubt


@pytest.mark.slow
def test_many_workers_that_are_killed_pay_once_and_deliver(tmp_path: Path) -> None:
    tally = run(30, 1000, tmp_path)
    assert tally.kills >= 30
    assert tally.delivered
    assert tally.adopted
    assert tally.paid == tally.delivered + tally.paid_in_doubt
