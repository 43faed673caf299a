"""Sound is as loud as it is asked to be, also where its peaks have to be held down for that."""

from collections.abc import Iterator

import numpy as np
import pytest

from minimax_tasks.video.loudness import levelled, measure
from minimax_tasks.video.samples import Samples

RATE = 48_000


@pytest.mark.parametrize("quiet", [0.06, 0.1])
@pytest.mark.parametrize("lufs", [-12.0, -16.0, -23.0])
def test_sound_with_sharp_peaks_is_as_loud_as_asked(quiet: float, lufs: float) -> None:
    time = np.arange(12 * RATE) / RATE
    heard = quiet * np.sin(2 * np.pi * 220 * time)
    heard += 0.3 * (time % 1 < 0.02) * np.sin(2 * np.pi * 700 * time)
    heard += 0.15 * (time % 3 < 0.6) * np.sin(2 * np.pi * 300 * time) * np.abs(np.sin(44 * time)) ** 8
    samples = np.stack([heard, heard]).astype(np.float32)

    def mix() -> Iterator[Samples]:
        return (samples[:, place : place + 1024] for place in range(0, samples.shape[1], 1024))

    found = measure(levelled(mix, RATE, lufs), RATE)
    assert found.lufs == pytest.approx(lufs, abs=0.3)
    assert found.peak < 0.86
