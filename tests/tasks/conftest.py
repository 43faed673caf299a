"""How Luigi's own worker makes its processes in these tests: by fork wherever there is fork, as up to Python 3.13.

Python 3.14 keeps a server for them, which knows the environment of the first test alone. That Luigi's worker works
with it, and with spawn, is shown in a process of its own (tests/test_worker.py).
"""

import multiprocessing
from collections.abc import Iterator

import pytest

from tests.drawn_once import draw_one_of_each_shape


@pytest.fixture(autouse=True)
def _fork() -> Iterator[None]:
    before = multiprocessing.get_start_method(allow_none=True)
    if "fork" in multiprocessing.get_all_start_methods():
        multiprocessing.set_start_method("fork", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


@pytest.fixture(scope="package", autouse=True)
def _one_of_each_shape(_drawn_once: None) -> Iterator[None]:
    """Nobody looks at the clips of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        draw_one_of_each_shape(patch)
        yield
