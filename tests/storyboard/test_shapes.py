"""The crop of a still is one decision; shapes are known through the whole chain, before anything is paid."""

import asyncio
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from minimax_tasks import BoardError
from minimax_tasks.clips.pictures import sendable
from minimax_tasks.clips.request import FrameOf
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.plan import Plan, PlannedShot
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.storyboard.planning.shapes import aspect
from tests.conftest import Picture
from tests.storyboard.boards import write_board


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def stills(picture: Picture) -> None:
    picture("wide.png", "teal", (1280, 720))
    picture("deck.png", "navy", (1024, 768))
    picture("mara.png", "maroon", (900, 1200))
    picture("square.png", "purple", (800, 800))
    picture("sea.png", "teal", (1200, 502))
    picture("tall.png", "navy", (720, 1280))
    picture("small.png", "navy", (360, 640))


def planned(folder: Path, shots: str, head: str = "") -> Plan:
    text = f"title: T\n{head}shots:\n" + "".join(f"  - {{{line}}}\n" for line in shots.strip().splitlines())
    return make_plan(write_board(folder, text), root=str(folder / "out"), language="en")


def by_id(plan: Plan) -> dict[str, PlannedShot]:
    return {shot.shot.id: shot for shot in plan.shots}


def sent(shot: PlannedShot, field: str, frame: tuple[int, int] = (768, 768)) -> Image.Image:
    """A picture of a shot as it goes on the wire, with frames of other clips drawn in a size."""

    async def read(_: FrameOf) -> bytes:
        out = io.BytesIO()
        Image.new("RGB", frame, "gray").save(out, "PNG")
        return out.getvalue()

    url = asyncio.run(sendable(shot.picked.clip, read)).pictures()[field]
    from minimax_tasks.api.data_urls import decode_data_url

    return Image.open(io.BytesIO(decode_data_url(url, field=field)))


@pytest.mark.usefixtures("stills")
@pytest.mark.parametrize(
    "then", ["id: b, prompt: y", "id: b, from: mara.png, prompt: y", "id: b, continue: still, prompt: y"]
)
def test_a_still_that_ends_a_shot_cropped_begins_the_next_with_the_same_crop(
    tmp_path: Path, then: str
) -> None:
    shots = by_id(planned(tmp_path, f"id: a, from: deck.png, to: mara.png, prompt: x\n{then}"))
    one, two = sent(shots["a"], "last_frame_image"), sent(shots["b"], "first_frame_image")
    assert one.size == two.size == (900, 675)
    assert one.tobytes() == two.tobytes()
    assert (shots["b"].join.kind, shots["b"].join.repeats_frame) == ("continues", True)
    assert any("44% of it is lost" in told for told in shots["a"].warnings)


@pytest.mark.usefixtures("stills")
def test_a_cut_starts_on_the_whole_still(tmp_path: Path) -> None:
    shots = by_id(
        planned(
            tmp_path,
            "id: a, from: deck.png, to: mara.png, prompt: x\nid: b, from: mara.png, cut: true, prompt: y",
        )
    )
    assert sent(shots["b"], "first_frame_image").size == (900, 1200)
    assert shots["b"].join.kind == "cut"


@pytest.mark.usefixtures("stills")
def test_what_is_sent_cropped_is_the_clip_of_the_cropped_file(tmp_path: Path) -> None:
    """Rule: what puts the same on the wire is one clip."""
    chain = by_id(planned(tmp_path, "id: a, from: deck.png, to: mara.png, prompt: x\nid: b, prompt: y"))
    sent(chain["b"], "first_frame_image").save(tmp_path / "decoded.png")
    from minimax_tasks.api.pictures import crop_alike, judge_picture

    deck, mara = (
        judge_picture((tmp_path / name).read_bytes(), field="f", name=name)
        for name in ("deck.png", "mara.png")
    )
    (tmp_path / "cropped.png").write_bytes(crop_alike(mara, deck, field="f", name="mara").data)
    alone = by_id(
        planned(
            tmp_path,
            "id: a, from: deck.png, to: cropped.png, prompt: x\nid: b, from: cropped.png, cut: true, prompt: y",
        )
    )
    for shot in "ab":
        assert chain[shot].picked.key == alone[shot].picked.key
    whole = by_id(planned(tmp_path, "id: b, from: mara.png, prompt: y"))
    assert whole["b"].picked.key != chain["b"].picked.key


@pytest.mark.usefixtures("stills")
def test_a_clip_that_was_paid_for_the_whole_still_is_not_the_one_for_its_crop(tmp_path: Path) -> None:
    root = Storage(str(tmp_path / "out"))
    whole = by_id(planned(tmp_path, "id: b, from: mara.png, prompt: y"))["b"].picked.key
    root.write_json(f"clips/{whole}/submission.json", {"task_id": "1"})
    chain = by_id(planned(tmp_path, "id: a, from: deck.png, to: mara.png, prompt: x\nid: b, prompt: y"))
    assert chain["b"].picked.key != whole
    assert by_id(planned(tmp_path, "id: b, from: mara.png, prompt: y"))["b"].picked.key == whole


@pytest.mark.usefixtures("stills")
def test_a_shape_goes_on_through_frames_that_are_taken_from_clips(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        """
        id: "060", from: square.png, to: wide.png, prompt: a
        id: "065", continue: frame, prompt: b
        id: "070", to: sea.png, prompt: c
        id: "080", prompt: d
        id: "090", from: "070@2", to: deck.png, prompt: e
        """,
    )
    shots = by_id(plan)
    assert any(
        "the first frame is 768 x 768 and the last 1200 x 502: the last is cropped" in told
        and "58% of it is lost" in told
        for told in shots["070"].warnings
    )
    assert any("is cropped to the shape of the first" in told for told in shots["090"].warnings)
    one, two = sent(shots["070"], "last_frame_image"), sent(shots["080"], "first_frame_image")
    assert one.size == two.size == (502, 502)
    assert shots["080"].join.kind == "continues"


@pytest.mark.usefixtures("stills")
def test_an_end_that_is_a_frame_of_another_shot_goes_on_cropped_too(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        """
        id: a, from: wide.png, prompt: a
        id: b, from: square.png, to: a.last, prompt: b
        id: c, prompt: c
        """,
    )
    shots = by_id(plan)
    assert any("the last 1366 x 768: the last is cropped" in told for told in shots["b"].warnings)
    frame = (1366, 768)
    assert sent(shots["c"], "first_frame_image", frame).size == (768, 768)
    assert shots["c"].join.repeats_frame
    alone = by_id(planned(tmp_path, "id: a, from: wide.png, prompt: a\nid: c, from: a.last, prompt: c"))
    assert alone["c"].picked.key != shots["c"].picked.key


@pytest.mark.usefixtures("stills")
@pytest.mark.parametrize(
    ("shots", "told"),
    [
        (
            "id: a, from: deck.png, to: small.png, prompt: x",
            "shot a: to = small.png: of its 360 x 640 px only 360 x 270 would be left; allowed: the shape of the first "
            "frame, 1024 x 768 px",
        ),
        (
            "id: a, prompt: w\nid: b, to: small.png, prompt: x",
            "shot b: to = small.png: of its 360 x 640 px only 360 x 202",
        ),
        (
            "id: a, from: tall.png, resolution: 512P, model: MiniMax-Hailuo-02, prompt: x\n"
            "id: b, from: wide.png, to: a.last, prompt: y",
            "shot b: to = last frame of a: of its 512 x 910 px only 512 x 288 would be left",
        ),
        (
            "id: a, from: wide.png, prompt: x\nid: b, continue: frame, prompt: y\nid: c, to: small.png, prompt: z",
            "shot c: to = small.png: of its 360 x 640 px only",
        ),
    ],
)
def test_a_crop_that_leaves_too_little_is_a_mistake_of_the_board(
    tmp_path: Path, shots: str, told: str
) -> None:
    with pytest.raises(BoardError) as wrong:
        planned(tmp_path, shots)
    assert told in str(wrong.value)
    assert "MiniMax-Hailuo" not in str(wrong.value), "the picture is named, not the clip"
    assert f"board.yaml:{2 + len(shots.splitlines())}: " in str(wrong.value)


@pytest.mark.parametrize(
    "shots",
    [
        "id: a, from: X, prompt: Rain.\nid: b, prompt: Rain.\nid: c, prompt: Wind., to: square.png",
        "id: a, from: square.png, to: X, prompt: Rain.\nid: b, prompt: Rain.",
        "id: a, from: square.png, to: X, prompt: Rain.\nid: b, from: X, prompt: Wind., to: wide.png",
        "id: a, from: X, prompt: Rain.\nid: b, cut: true, from: a.last, to: square.png, prompt: Wind.",
        'id: a, from: X, prompt: Rain.\nid: b, cut: true, from: "a@2.5", to: X, prompt: Wind.',
        "id: a, from: X, to: Y, prompt: Rain.\nid: b, to: Y, prompt: Wind.\nid: c, continue: a, prompt: Sun.",
        "id: a, from: X, to: X, prompt: Rain.\nid: b, from: X, to: Y, prompt: Wind.\nid: c, continue: still, prompt: Sun.",
    ],
)
@pytest.mark.parametrize("bad", ["none.png", "tiny.png", "cmyk.jpg", "page.png"])
def test_a_picture_that_cannot_be_used_is_named_wherever_it_stands_in_a_chain(
    shots: str, bad: str, tmp_path: Path, stills: None
) -> None:
    Image.new("RGB", (100, 100)).save(tmp_path / "tiny.png")
    Image.new("CMYK", (800, 800)).save(tmp_path / "cmyk.jpg")
    (tmp_path / "page.png").write_text("<html>")
    with pytest.raises(BoardError) as refused:
        planned(tmp_path, shots.replace("X", bad).replace("Y", "nowhere.png"))
    problems = refused.value.problems
    assert any(f"picture {bad}" in problem for problem in problems)
    assert len(problems) == 1 + ("Y" in shots), "each is named once, and nothing follows from it"


@pytest.mark.usefixtures("stills")
def test_text_in_a_film_of_another_shape_is_told_once_with_the_others(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        """
        id: a, from: tall.png, prompt: a
        id: b, cut: true, prompt: words alone
        id: c, cut: true, from: tall.png, prompt: c
        id: d, cut: true, from: square.png, prompt: d
        id: e, prompt: e
        id: f, cut: true, from: tall.png, prompt: f
        id: g, cut: true, from: tall.png, prompt: g
        """,
    )
    bars = [told for told in plan.warnings if "black bars" in told]
    assert len(bars) == 1
    assert bars[0].startswith("3 shots are not 9:16 as most are: b d e. In the film they get black bars")
    assert (
        "b: text-to-video is always 16:9. To fill a film of 9:16, start from a picture of 9:16"
        in plan.warnings
    )
    assert not any("black bars" in told for shot in plan.shots for told in shot.warnings)


def test_a_film_of_one_shape_is_told_nothing(tmp_path: Path, picture: Picture) -> None:
    picture("wide.png", size=(1366, 768))
    plan = planned(
        tmp_path, "id: a, from: wide.png, prompt: a\nid: b, cut: true, prompt: b\nid: c, prompt: c"
    )
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("size", "name"),
    [
        ((1920, 1080), "16:9"),
        ((1366, 768), "16:9"),
        ((768, 1366), "9:16"),
        ((800, 800), "1:1"),
        ((1200, 502), "2.39:1"),
    ],
)
def test_shapes_have_the_names_that_people_use(size: tuple[int, int], name: str) -> None:
    assert aspect(size) == name


@pytest.mark.usefixtures("stills")
def test_transparency_and_the_like_are_told_by_the_plan(tmp_path: Path) -> None:
    Image.new("RGBA", (640, 360), (0, 0, 0, 0)).save(tmp_path / "ferry.png")
    plan = planned(tmp_path, "id: a, from: ferry.png, prompt: a\nid: b, subject: ferry.png, prompt: b")
    for shot in plan.shots:
        assert any(
            "picture ferry.png: its transparent parts are laid on white" in told for told in shot.warnings
        )


MOMENTS = 'id: "010", prompt: A boat.\nid: "020", cut: false, from: "010@{}", prompt: On.'


@pytest.mark.parametrize(
    ("moment", "length", "problem", "warning"),
    [
        ("5.4", None, "", ""),
        ("5.9", None, "", "its last frame is taken"),
        ("6", None, "ends at 6 s; allowed: under 6", ""),
        ("7", None, "ends at 6 s; allowed: under 6", ""),
        ("5.9", 5.875, "", "the clip ends at 5.875 s: its last frame is taken for the one at 5.9 s"),
        ("5.8", 5.875, "", ""),
        ("6.1", 6.2, "", ""),
        ("5.9", 4.0, "there is no 5.9 s in a clip of 4 s", ""),
    ],
)
def test_a_moment_near_the_end_is_judged_by_what_is_known(
    tmp_path: Path, moment: str, length: float | None, problem: str, warning: str
) -> None:
    shots = MOMENTS.format(moment)
    if length is not None:
        key = by_id(planned(tmp_path, MOMENTS.format("1")))["010"].picked.key
        root = Storage(str(tmp_path / "out"))
        root.write_json(
            f"clips/{key}/result.json", {"video": {"width": 1366, "height": 768, "seconds": length}}
        )
    if problem:
        with pytest.raises(BoardError) as wrong:
            planned(tmp_path, shots)
        assert problem in str(wrong.value)
        assert "board.yaml:4: shot 020: from = " in str(wrong.value)
        return
    told = by_id(planned(tmp_path, shots))["020"].warnings
    assert any(warning in text for text in told) if warning else not told


def test_a_film_whose_clips_are_shorter_than_asked_is_made(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the clip is there, and is shorter than the moment, its last frame is what goes on."""
    from minimax_tasks.clips.frames import extract_frame
    from minimax_tasks.video.probe import probe

    monkeypatch.chdir(tmp_path)
    board = write_board(tmp_path, 'title: T\nshots:\n  - {id: "010", prompt: A boat.}\n')
    assert main(["render", board, "--root", "out"]) == 0
    root = Storage("out")
    (key,) = [name for name in root.folders("clips") if len(name) == 32]
    length = probe(tmp_path / "out" / "clips" / key / "video.mp4").seconds
    last = extract_frame(root, FrameOf(key, "last"))
    for late in (0, 0.1, 0.49):
        assert extract_frame(root, FrameOf(key, f"{length + late:.3f}")) == last
    with pytest.raises(ValueError, match="there is no"):
        extract_frame(root, FrameOf(key, f"{length + 0.6:.3f}"))
