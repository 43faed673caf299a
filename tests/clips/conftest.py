"""Clips whose looks are nobody's business."""

from collections.abc import Iterator

import pytest

from tests.drawn_once import draw_one_of_each_shape


@pytest.fixture(scope="package", autouse=True)
def _one_of_each_shape(_drawn_once: None) -> Iterator[None]:
    """Here it is the life of a clip that is tested, not what it shows."""
    with pytest.MonkeyPatch.context() as patch:
        draw_one_of_each_shape(patch)
        yield
