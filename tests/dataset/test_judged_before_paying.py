"""Whatever sending or cutting would refuse is found when a table is read, with its row."""

import warnings
from pathlib import Path

import pytest
from PIL import Image

from minimax_tasks import TableError, VideoDataset
from minimax_tasks.dataset.plan import make_plan
from minimax_tasks.storage.files import Storage
from tests.conftest import Picture
from tests.dataset.tables import write_csv

KEY = "0" * 32


def problems(table: str, root: Storage) -> str:
    with pytest.raises(TableError) as wrong:
        make_plan(table, root)
    return str(wrong.value)


def test_an_end_that_would_be_cropped_too_small(picture: Picture, tmp_path: Path) -> None:
    picture("std.png", size=(640, 480))
    picture("tall.png", size=(360, 640))
    table = write_csv(
        tmp_path / "t.csv",
        [
            {"prompt": "a", "first_frame_image": "std.png"},
            {"prompt": "a", "first_frame_image": "std.png", "last_frame_image": "tall.png"},
        ],
    )
    told = problems(table, Storage(str(tmp_path / "out")))
    assert told.startswith(f"{table}, line 3: last_frame_image = ")
    assert "tall.png': of its 360 x 640 px only 360 x 270 would be left" in told
    assert "line 2" not in told
    assert "MiniMax-Hailuo" not in told


def test_frames_of_clips_are_judged_by_the_clips(picture: Picture, tmp_path: Path) -> None:
    root = Storage(str(tmp_path / "out"))
    picture("tall.png", size=(360, 640))
    measures = {"width": 1366, "height": 768, "seconds": 5.875}
    root.write_json(f"clips/{KEY}/result.json", {"video": measures})
    rows = [
        {"prompt": "a", "first_frame_image": f"clip:{KEY}#5.8"},
        {"prompt": "b", "first_frame_image": f"clip:{KEY}#9"},
        {"prompt": "c", "first_frame_image": f"clip:{'1' * 32}#last"},
        {"prompt": "d", "first_frame_image": f"clip:{KEY}#last", "last_frame_image": "tall.png"},
    ]
    table = write_csv(tmp_path / "t.csv", rows)
    told = problems(table, root).splitlines()
    assert len(told) == 3
    assert "line 3" in told[0]
    assert "there is no 9 s in a clip of 5.875 s" in told[0]
    assert "line 4" in told[1]
    assert "there is no such clip" in told[1]
    assert "line 5" in told[2]
    assert "only 360 x 202 would be left" in told[2]
    late = write_csv(tmp_path / "late.csv", [{"prompt": "a", "first_frame_image": f"clip:{KEY}#5.9"}])
    with pytest.warns(
        UserWarning, match=r"late\.csv, line 2: first_frame_image: the clip ends at 5\.875 s: its last frame"
    ):
        make_plan(late, root)


def test_what_is_done_to_pictures_is_told_once_with_the_rows(tmp_path: Path, picture: Picture) -> None:
    Image.new("RGBA", (640, 360), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    picture("wide.png", size=(1280, 720))
    picture("square.png", size=(900, 900))
    rows = [{"prompt": f"{number}", "first_frame_image": "clear.png"} for number in range(12)]
    rows.append({"prompt": "x", "first_frame_image": "wide.png", "last_frame_image": "square.png"})
    table = write_csv(tmp_path / "t.csv", rows)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_plan(table, Storage(str(tmp_path / "out")))
    told = [str(one.message) for one in caught if one.category is UserWarning]
    assert len(told) == 2
    assert (
        "line 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more: first_frame_image: its transparent parts" in told[0]
    )
    assert "line 14: the first frame is 1280 x 720 and the last 900 x 900: the last is cropped" in told[1]


def test_rows_that_are_spelled_differently_are_one_clip(tmp_path: Path, picture: Picture) -> None:
    picture("wide.png", size=(1280, 720))
    rows = [
        {"prompt": "a", "first_frame_image": "wide.png"},
        {"prompt": "a", "first_frame_image": "wide.png", "fit": "true"},
        {"prompt": "a", "first_frame_image": "wide.png", "resolution": "768p", "duration": 6},
        {"subject_image": "wide.png", "prompt": "a"},
        {"subject_image": '["wide.png"]', "prompt": "a"},
    ]
    plan = VideoDataset(table=write_csv(tmp_path / "t.csv", rows), root=str(tmp_path / "out")).plan
    assert len(plan.clips) == 2
