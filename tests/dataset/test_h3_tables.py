"""Tables that ask for clips of the second generation, beside the first."""

import io
from pathlib import Path

import av
import pytest

from minimax_tasks.commands.main import main
from minimax_tasks.dataset.table import parse_table
from minimax_tasks.sandbox import Sandbox
from tests.conftest import Picture

TABLE = """\
prompt,model,ratio,duration,reference_images
A harbour at dawn,MiniMax-H3,16:9,4,
A dance,MiniMax-H3,1:1,5,"[""mara.png"", ""pier.png""]"
Rain,MiniMax-Hailuo-2.3,,6,
"""


def test_a_dataset_of_both_generations_says_what_is_seen_and_heard(
    sandbox: Sandbox, tmp_path: Path, picture: Picture
) -> None:
    import datasets

    picture("mara.png", "teal", (512, 512))
    picture("pier.png", "maroon", (1344, 768))
    (tmp_path / "both.csv").write_text(TABLE)
    assert main(["dataset", str(tmp_path / "both.csv"), "--root", str(tmp_path / "out")]) == 0
    found = datasets.load_dataset("videofolder", data_dir=str(tmp_path / "out/datasets/both"), split="train")
    rows = list(found.cast_column("video", datasets.Video(decode=False)).sort("prompt"))
    facts = [
        (row["prompt"], row["ratio"], row["duration"], row["audio_rate"], row["audio_channels"])
        for row in rows
    ]
    assert facts == [
        ("A dance", "1:1", 5, 32_000, 2),
        ("A harbour at dawn", "16:9", 4, 32_000, 2),
        ("Rain", None, 6, None, None),
    ]
    assert [row["reference_images"] for row in rows] == [["mara.png", "pier.png"], None, None]
    videos = [Path(row["video"]["path"]).read_bytes() for row in rows]
    assert [_seconds_of_sound(video) for video in videos] == pytest.approx([124 / 24, 107 / 24, 0], abs=0.05)
    assert len(sandbox.ledger()) == 3


def _seconds_of_sound(video: bytes) -> float:
    with av.open(io.BytesIO(video)) as container:
        if not container.streams.audio:
            return 0.0
        stream = container.streams.audio[0]
        return sum(frame.samples for frame in container.decode(stream)) / stream.rate


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("mara.png", ("/t/mara.png",)),
        ('"[""mara.png"", ""s3://b/x.png""]"', ("/t/mara.png", "s3://b/x.png")),
    ],
)
def test_one_file_or_a_list_of_them(cell: str, read: tuple[str, ...]) -> None:
    text = f"prompt,model,reference_images,reference_videos\nA dance,MiniMax-H3,{cell},moves.mp4\n"
    (row,) = parse_table("/t/t.csv", text.encode()).rows
    assert row.request.reference_images == read
    assert row.request.reference_videos == ("/t/moves.mp4",)


def test_what_is_wrong_with_a_row_is_told() -> None:
    text = "prompt,model,ratio,duration\nA,MiniMax-H3,5:4,4\nB,MiniMax-H3,16:9,16\nC,MiniMax-H3,,4\n"
    told = [str(problem) for problem in parse_table("/t/t.csv", text.encode()).problems]
    assert len(told) == 3
    assert "there is no such ratio" in told[0]
    assert "duration = 16" in told[1]
    assert "needs one for a clip from text alone" in told[2]
