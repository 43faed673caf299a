"""Hugging Face libraries that ask nobody on the network, and clips at which nobody looks."""

import os
from collections.abc import Iterator

import pytest

from tests.drawn_once import draw_one_of_each_shape

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@pytest.fixture(scope="package", autouse=True)
def _one_of_each_shape(_drawn_once: None) -> Iterator[None]:
    """Those of one take, size and length are drawn alike."""
    with pytest.MonkeyPatch.context() as patch:
        draw_one_of_each_shape(patch)
        yield
