"""A worker is killed about when it downloads or joins, as fast machines go; a file of its own, since these tests are long."""

from collections.abc import Callable
from random import Random

import pytest


@pytest.mark.parametrize("run", range(5))
def test_the_film_is_finished_and_each_clip_is_paid_once(
    run: int, kill_after: Callable[[float], None]
) -> None:
    kill_after(3.25 + 0.75 * Random(run).random())
