"""The shape of a film: judged with the board, told by the plan, made without paying, and delivered in another."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minimax_tasks import BoardError, ConfigurationError
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storyboard.board_picture import EXPECTED_PICTURE, read_aspect, read_crop, read_size
from minimax_tasks.storyboard.delivery import delivered
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.probe import probe
from tests.conftest import Picture
from tests.storyboard.boards import write_board

TEXT_SHOTS = """\
    title: Tall
    defaults: {model: MiniMax-Hailuo-02, resolution: 768P}
    picture: PICTURE
    shots:
      - {id: "010", action: Mist over a harbour., trim: 0..1}
      - {id: "020", action: A gull lifts off., trim: 0..1, crop: left}
    """


def planned(folder: Path, picture: str, board: str = TEXT_SHOTS) -> Plan:
    path = write_board(folder, board.replace("PICTURE", picture))
    return make_plan(path, root=str(folder / "out"), language="en")


def refusal(folder: Path, picture: str, board: str = TEXT_SHOTS) -> str:
    with pytest.raises(BoardError) as caught:
        planned(folder, picture, board)
    return str(caught.value)


@given(st.integers(1, 400), st.integers(1, 400))
def test_an_aspect_is_a_ratio_of_at_most_four(wide: int, high: int) -> None:
    if max(wide, high) <= 4 * min(wide, high):
        assert read_aspect(f"{wide}:{high}") == Fraction(wide, high)
    else:
        with pytest.raises(ValueError, match="4:1"):
            read_aspect(f"{wide}:{high}")


@given(st.text("0123456789:.x -", max_size=12))
def test_whatever_is_written_is_a_shape_or_told_what_is_one(written: str) -> None:
    for read, key in ((read_aspect, "aspect"), (read_size, "size")):
        try:
            found = read(written)
        except ValueError as error:
            told = str(error)
        else:
            told = EXPECTED_PICTURE[key] if found else ""
        assert told in (EXPECTED_PICTURE[key], EXPECTED_PICTURE["aspect"])


@given(st.lists(st.floats(-1, 2), min_size=0, max_size=5))
def test_a_region_lies_in_the_picture(values: list[float]) -> None:
    try:
        left, top, width, height = read_crop(values).region
    except ValueError:
        return
    assert 0 < width <= 1 - left
    assert 0 < height <= 1 - top


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        ("{aspect: 9x16}", "aspect = '9x16'; allowed: a shape in quotes"),
        ('{aspect: "5:1"}', "aspect = '5:1'"),
        ("{size: 1080x1921}", "size = '1080x1921'; allowed: width and height in even pixels"),
        ("{size: 64x64}", "size = '64x64'"),
        ("{fill: stretch}", "fill = 'stretch'; allowed: crop, blur or bars"),
        ("{colour: red}", "unknown key 'colour'"),
        ('{aspect: "1:1", size: 1080x1920}', "`aspect` and `size` are one shape"),
    ],
)
def test_what_is_no_shape_is_told_with_what_is(tmp_path: Path, picture: str, told: str) -> None:
    assert told in refusal(tmp_path, picture)


@pytest.mark.parametrize("crop", ["middle", "1.5", "[0, 0, 2, 1]", "[0.5, 0, 0.6, 1]", "[0, 0, 1]", "{x: 1}"])
def test_what_is_no_crop_is_told_with_what_is(tmp_path: Path, crop: str) -> None:
    text = refusal(tmp_path, "{fill: crop}", TEXT_SHOTS.replace("crop: left", f"crop: {crop}"))
    assert "shot 020: crop = " in text
    assert "allowed: top, bottom, left, right, center" in text


def test_words_alone_cannot_have_every_shape_and_the_error_says_what_can(tmp_path: Path) -> None:
    text = refusal(tmp_path, '"9:16"')
    for told in ("shot 010", "makes a clip from words alone in 16:9", "MiniMax-H3", "fill"):
        assert told in text
    assert planned(tmp_path, '{aspect: "9:16", fill: blur}').shots


def test_the_shape_of_the_film_is_the_ratio_of_a_model_that_takes_one(tmp_path: Path) -> None:
    board = """\
        title: Tall
        defaults: {model: MiniMax-H3, resolution: 768P, seconds: 5}
        picture: "9:16"
        shots:
          - {id: "010", action: Mist over a harbour.}
          - {id: "020", action: A gull lifts off., ratio: "1:1", cut: true}
        """
    path = write_board(tmp_path, board)
    plan = make_plan(path, root=str(tmp_path / "out"), language="en")
    assert [shot.picked.request.ratio for shot in plan.shots] == ["9:16", "1:1"]
    assert ["1 shot is 1:1 in a film of 9:16: 020" in warning for warning in plan.warnings] == [True]


def test_the_shape_enters_no_key_and_makes_another_film(tmp_path: Path) -> None:
    plain = planned(tmp_path, '"16:9"')
    for picture in ('{aspect: "9:16", fill: crop}', '{aspect: "9:16", fill: bars}', "{size: 1280x720}"):
        other = planned(tmp_path, picture)
        assert [shot.key for shot in other.shots] == [shot.key for shot in plain.shots]
        assert other.digest != plain.digest


def test_the_plan_says_how_much_is_lost_and_what_is_encoded_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    path = write_board(tmp_path, TEXT_SHOTS.replace("PICTURE", '{aspect: "9:16", fill: crop}'))
    assert main(["plan", path, "--root", str(tmp_path / "out")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 shots are 16:9 in a film of 9:16: 010 020. They are cropped: 68% of the picture is lost" in said
    assert "crop to 9:16 from 16:9 (010)" in said


def test_the_same_clips_are_delivered_in_another_shape_beside_the_first(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    path = write_board(tmp_path, TEXT_SHOTS.replace("PICTURE", '{aspect: "9:16", fill: blur}'))
    root = tmp_path / "out"
    assert main(["render", path, "--root", str(root)]) == 0
    paid = len(sandbox.ledger())
    first = (root / "films/tall/film.mp4").read_bytes()
    assert main(["render", path, "--root", str(root), "--aspect", "1:1"]) == 0
    assert len(sandbox.ledger()) == paid == 2
    assert (root / "films/tall/film.mp4").read_bytes() == first
    sizes = []
    for name in ("tall", "tall-1x1"):
        found = probe(str(root / f"films/{name}/film.mp4"))
        manifest = json.loads((root / f"films/{name}/manifest.json").read_text())
        assert (manifest["width"], manifest["height"]) == (found.width, found.height)
        assert (root / f"films/{name}/report.html").exists()
        sizes.append((found.width, found.height))
    (width, height), square = sizes
    assert abs(width / height - 9 / 16) < 0.01
    assert square == (width, width)
    changed = (root / "films/tall/manifest.json").stat().st_mtime_ns
    assert main(["render", path, "--root", str(root)]) == 0
    assert (
        root / "films/tall/manifest.json"
    ).stat().st_mtime_ns == changed  # it is still the film of the board


def test_a_shape_on_the_command_line_is_judged_like_one_in_a_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_board(tmp_path, TEXT_SHOTS.replace("PICTURE", '"16:9"'))
    assert main(["render", path, "--root", str(tmp_path / "out"), "--aspect", "square"]) == 2
    assert "aspect = 'square'; allowed: a shape in quotes" in " ".join(capsys.readouterr().err.split())
    plan = planned(tmp_path, '"16:9"')
    assert delivered(plan, aspect="16:9") == plan  # which is the film itself
    with pytest.raises(ConfigurationError, match="allowed"):
        delivered(plan, aspect="0:1")


def test_a_still_is_drawn_in_the_shape_of_the_film(
    tmp_path: Path, picture: Picture, sandbox: Sandbox
) -> None:
    picture("sea.png", "teal", (1280, 720))
    board = """\
        title: Tall
        picture: {size: 180x320}
        shots:
          - {id: "010", still: sea.png, seconds: 1}
        """
    path = write_board(tmp_path, board)
    root = tmp_path / "out"
    assert main(["render", path, "--root", str(root)]) == 0
    manifest = json.loads((root / "films/tall/manifest.json").read_text())
    assert (manifest["width"], manifest["height"], manifest["joined"]) == (180, 320, "copy")
    found = probe(str(root / "films/tall/film.mp4"))
    assert (found.width, found.height) == (180, 320)
    assert sandbox.ledger() == []


CHAIN = """\
    title: Tall
    defaults: {model: MiniMax-Hailuo-02, resolution: 768P, seconds: 6}
    picture: {aspect: "9:16"}
    frames: {pier: {file: pier.png, crop: left}, boat: boat.png}
    shots:
      - {id: "010", from: boat, to: pier, action: Mist drifts.}
      - {id: "020", action: A gull lifts off.}
      - {id: "030", from: pier, action: The rope tightens., cut: true}
    """


def test_a_still_is_cropped_once_for_every_shot_that_uses_it(
    tmp_path: Path, picture: Picture, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, left, right in (("pier.png", "red", "blue"), ("boat.png", "teal", "teal")):
        image = Image.new("RGB", (1280, 720), left)
        image.paste(right, (640, 0, 1280, 720))
        image.save(tmp_path / name)
    path, root = write_board(tmp_path, CHAIN), tmp_path / "out"
    plan = make_plan(path, root=str(root), language="en")
    by_id = plan.by_id
    pier = by_id["030"].first
    assert pier
    assert pier.own
    assert pier.own.shape == (405, 720)
    assert pier.own.frame("first").getpixel((400, 300)) == (255, 0, 0)  # its left end is kept
    ends = (by_id["010"].last, by_id["020"].first)
    assert [end.own == pier.own for end in ends if end] == [True, True]
    assert by_id["020"].join.kind == "continues"
    assert {shot.shape for shot in plan.shots} == {(405, 720)}
    assert "still pier is cropped to 9:16: 68% of it is lost (010, 020, 030)" in plan.warnings
    assert not any("film of 9:16" in warning for warning in plan.warnings)
    assert main(["render", path, "--root", str(root)]) == 0
    assert len(sandbox.ledger()) == 3
    manifest = json.loads((root / "films/tall/manifest.json").read_text())
    assert manifest["joined"] == "copy"
    assert abs(manifest["width"] / manifest["height"] - 9 / 16) < 0.01
    assert main(["render", path, "--root", str(root)]) == 0
    assert len(sandbox.ledger()) == 3
    again = make_plan(path, root=str(root), language="en")
    assert [shot.key for shot in again.shots] == [shot.key for shot in plan.shots]


def test_a_still_that_has_the_shape_is_sent_as_it_is(tmp_path: Path) -> None:
    Image.new("RGB", (720, 1280), "red").save(tmp_path / "pier.png")
    Image.new("RGB", (720, 1280), "blue").save(tmp_path / "boat.png")
    path = write_board(tmp_path, CHAIN)
    plan = make_plan(path, root=str(tmp_path / "out"), language="en")
    plain = write_board(
        tmp_path, CHAIN.replace("picture:", "look: Dawn # ").replace("crop: left", ""), "b.yaml"
    )
    other = make_plan(plain, root=str(tmp_path / "out"), language="en")
    assert [shot.first.own for shot in plan.shots if shot.first] == [None, None, None]
    assert [shot.picked.request.size for shot in plan.shots] == [
        shot.picked.request.size for shot in other.shots
    ]


def test_a_still_on_the_web_is_told_to_be_as_it_is(tmp_path: Path) -> None:
    path = write_board(
        tmp_path,
        """
    title: Web
    picture: "9:16"
    frames: {pier: {file: "https://example.com/pier.jpg?token=secret", crop: top}}
    shots:
      - {id: "010", from: pier, prompt: Fog.}
      - {id: "020", from: "https://example.com/boat.jpg?token=secret", prompt: Rain.}
      - {id: "030", from: pier, prompt: Sun.}
""",
    )
    said = make_plan(path, root=str(tmp_path / "out"), language="en").warnings
    assert "still pier stays on the web and is not cropped to 9:16 (010, 030)" in said
    assert "still https://example.com/boat.jpg stays on the web and is not cropped to 9:16 (020)" in said
    assert "secret" not in " ".join(said)


def test_too_little_of_a_still_is_told_before_anything_is_paid(tmp_path: Path) -> None:
    for name in ("pier.png", "boat.png"):
        Image.new("RGB", (640, 360), "red").save(tmp_path / name)
    with pytest.raises(BoardError) as caught:
        make_plan(write_board(tmp_path, CHAIN), root=str(tmp_path / "out"), language="en")
    assert "boat: what is left of it in the film's shape is 203 x 360 px" in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ("{file: pier.png, crop: middle}", "crop = 'middle'; allowed: top, bottom"),
        ("{crop: top}", "needs 'file'"),
        ("{file: pier.png, zoom: 2}", "unknown key 'zoom'"),
        ("7", "write it in quotes"),
    ],
)
def test_what_is_no_frame_is_told(tmp_path: Path, frame: str, told: str) -> None:
    text = CHAIN.replace("{file: pier.png, crop: left}", frame)
    with pytest.raises(BoardError) as caught:
        make_plan(write_board(tmp_path, text), root=str(tmp_path / "out"), language="en")
    assert told in str(caught.value)
