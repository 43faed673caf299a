"""Stills as shots: a camera moves over a picture, smoothly, within it, in the film's shape, drawn once and free."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from minimax_tasks import BoardError
from minimax_tasks.commands.main import main
from minimax_tasks.prompts.camera import parse_camera
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.film import FilmMaker
from minimax_tasks.storyboard.own.drawn_still import DrawnStill
from minimax_tasks.storyboard.own.own_clip import DrawnClip
from minimax_tasks.storyboard.own.still_camera import SOFT, camera_boxes
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.easing import eased
from minimax_tasks.video.probe import probe
from tests.storyboard.boards import write_board

ABLE = [
    "push in",
    "pull out",
    "pan left",
    "pan right",
    "tilt up",
    "tilt down",
    "zoom in",
    "zoom out",
    "shake",
]
ABLE += ["truck left", "pedestal up", "static", "push in, pan left", "tilt up, zoom out, shake", ""]


def planned(folder: Path, text: str) -> Plan:
    return make_plan(write_board(folder, text), root=str(folder / "out"), language="en")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(BoardError) as caught:
        planned(folder, text)
    return str(caught.value)


def dot(path: Path, size: tuple[int, int] = (640, 480)) -> Path:
    """A soft white disk in the middle of black."""
    image = Image.new("L", size)
    middle, radius = (size[0] / 2, size[1] / 2), min(size) / 12
    box = (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius)
    ImageDraw.Draw(image).ellipse(box, fill=255)
    image.filter(ImageFilter.GaussianBlur(2)).convert("RGB").save(path)
    return path


def drawn(folder: Path, keys: str, frames: int = 48, size: tuple[int, int] = (320, 180)) -> list[np.ndarray]:  # type: ignore[type-arg]
    own = planned(folder, f"title: Dot\nshots: [{{id: a, still: dot.png, {keys}}}]\n").shots[0].own
    assert isinstance(own, DrawnStill)
    return [np.asarray(image.convert("L"), float) for image in own.pictures(size, frames)]


def middles(pictures: list[np.ndarray]) -> np.ndarray:  # type: ignore[type-arg]
    """The middle of what is white in each picture: x and y in pixels."""
    rows, columns = np.mgrid[: pictures[0].shape[0], : pictures[0].shape[1]]
    return np.array([[(one * columns).sum() / one.sum(), (one * rows).sum() / one.sum()] for one in pictures])


@pytest.mark.parametrize(
    ("camera", "axis", "way"),
    [
        ("pan right", 0, -1),
        ("truck left", 0, 1),
        ("tilt up", 1, 1),
        ("pedestal down", 1, -1),
    ],
)
def test_a_move_goes_the_way_that_its_word_says_without_a_jerk(
    camera: str, axis: int, way: int, tmp_path: Path
) -> None:
    dot(tmp_path / "dot.png")
    ways = middles(drawn(tmp_path, f"seconds: 2, camera: {camera}"))
    gone = ways[:, axis] - ways[0, axis]
    assert way * gone[-1] > 20, "the way that it goes can be seen"
    meant = gone[-1] * np.array([eased(number / 47, SOFT) for number in range(48)])
    assert np.abs(gone - meant).max() < 0.05, "no frame is a twentieth of a pixel off its way"
    assert np.abs(ways[:, 1 - axis] - ways[0, 1 - axis]).max() < 0.05
    steps = np.abs(np.diff(gone))
    assert max(steps[0], steps[-1]) < 0.1 * steps.max(), "it begins and ends softly"


@pytest.mark.parametrize(("camera", "grows"), [("push in", True), ("zoom in", True), ("pull out", False)])
def test_what_gets_closer_gets_larger_evenly_and_stays_where_it_is(
    camera: str, grows: bool, tmp_path: Path
) -> None:
    dot(tmp_path / "dot.png")
    pictures = drawn(tmp_path, f"seconds: 2, camera: {camera}")
    widths = np.sqrt([one.sum() / 255 for one in pictures])
    steps = np.diff(widths) * (1 if grows else -1)
    assert np.all(steps > -0.01)
    assert steps.sum() > 0.08 * widths.min()
    assert np.abs(np.diff(steps)).max() < 0.03
    assert np.abs(middles(pictures) - middles(pictures)[0]).max() < 0.05


def test_a_still_without_a_camera_stands_and_one_in_an_unsteady_hand_sways_a_little(tmp_path: Path) -> None:
    dot(tmp_path / "dot.png")
    still = drawn(tmp_path, "seconds: 2")
    assert all(np.array_equal(one, still[0]) for one in still)
    ways = middles(drawn(tmp_path, "seconds: 2, camera: handheld"))
    moved = np.abs(ways - ways[0]).max()
    assert 0.5 < moved < 8
    assert np.abs(np.diff(ways, n=2, axis=0)).max() < 0.35


sides = st.integers(64, 4000)


@given(
    st.lists(st.sampled_from(ABLE), min_size=0, max_size=4),
    st.integers(1, 40),
    st.floats(0.2, 60),
    st.tuples(sides, sides),
    st.tuples(st.integers(2, 2000), st.integers(2, 2000)),
)
def test_the_screen_is_always_filled_and_the_picture_never_stretched(
    camera: list[str], frames: int, seconds: float, picture: tuple[int, int], screen: tuple[int, int]
) -> None:
    groups = parse_camera([word for word in camera if word])
    boxes = camera_boxes(groups, frames, seconds, picture, screen)
    assert len(boxes) == frames
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= picture[0]
        assert 0 <= top < bottom <= picture[1]
        assert (right - left) / (bottom - top) == pytest.approx(screen[0] / screen[1], rel=1e-6)
        assert right - left > picture[0] * min(1, screen[0] / screen[1] * picture[1] / picture[0]) / 8


BOARD = """\
    title: Slides
    frames: {sea: pics/sea.png}
    defaults: {model: MiniMax-Hailuo-02}
    shots:
      - {id: "010", still: sea, seconds: 1, camera: push in}
      - {id: "020", action: A gull lifts off.}
      - {id: "030", still: pics/sea.png, seconds: 2, camera: pan left, cut: fade 0.25}
    """


def test_a_still_costs_nothing_is_drawn_once_and_a_chain_goes_on_from_it(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pics").mkdir()
    dot(tmp_path / "pics/sea.png", (800, 600))
    path = write_board(tmp_path, BOARD)
    assert main(["plan", path, "--root", "out", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["total"]["clips_to_pay"], told["shots"][0]["camera"]) == (1, [["Push in"]])
    assert "frame 'sea' is not used" not in str(told["warnings"])
    assert main(["render", path, "--root", "out"]) == 0
    made = {file: file.stat().st_mtime_ns for file in Path("out/own").glob("*/*.mp4")}
    assert len(made) == 2
    request = json.loads(next(Path("out/clips").glob("*/request.json")).read_text())
    kept = Path("out/own") / told["shots"][0]["segments"][0]["key"] / "frame-last.png"
    assert request["pictures"]["first_frame_image"]["is"] == f"clip:{kept.parent.name}#last"
    with Image.open(kept) as frame:
        assert frame.size == (1920, 1080)

    write_board(tmp_path, BOARD.replace("fade 0.25", "fade 0.5"))
    assert main(["render", path, "--root", "out"]) == 0
    assert {file: file.stat().st_mtime_ns for file in Path("out/own").glob("*/*.mp4")} == made
    assert len(list(Path("out/clips").glob("*/submission.json"))) == 1


def test_a_still_has_the_size_and_the_rate_of_the_film(tmp_path: Path, sandbox: Sandbox) -> None:
    dot(tmp_path / "tall.png", (720, 1280))
    dot(tmp_path / "sea.png", (800, 600))
    board = """\
        title: Tall
        shots:
          - {id: a, still: sea.png, seconds: 1, camera: pan right}
          - {id: b, action: Rain., from: tall.png, cut: true}
        """
    assert main(["render", write_board(tmp_path, board), "--root", "out"]) == 0
    film = probe(tmp_path / "out/films/tall/film.mp4")
    plan = planned(tmp_path, board)
    clip = probe(f"out/clips/{plan.shots[1].key}/video.mp4")
    assert (film.width, film.height) == (clip.width, clip.height)
    assert film.height > film.width
    own = plan.shots[0].own
    assert isinstance(own, DrawnClip)
    assert own.frame_size == (1080, 1920), "a clip that starts from it is of the film's shape, too"
    assert film.frames == clip.frames + 24


def test_a_film_of_stills_alone_needs_no_service(tmp_path: Path) -> None:
    dot(tmp_path / "a.png")
    plan = planned(tmp_path, "title: Slides\nshots: [{id: a, still: a.png, seconds: 1}]\n")
    FilmMaker(Storage(str(tmp_path / "out")), plan).make()
    film = probe(tmp_path / "out/films/slides/film.mp4")
    assert (film.width, film.height, film.frames) == (1920, 1080, 24)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("camera: tracking", "Tracking shot: nothing in a still moves that a camera could follow; allowed: "),
        ('camera: "push in, zoom out"', "undo each other on a still"),
        ('camera: "truck left, pan right"', "undo each other on a still"),
        ("camera: spin", "unknown camera move 'spin'"),
        ("seconds: 0", "seconds = 0; allowed: 1 to 60, for a still"),
        ("seconds: 61", "seconds = 61; allowed: 1 to 60, for a still"),
        ("prompt: Rain.", "takes no `prompt`; it may have seconds, camera, cut"),
        ("clip: a.mp4", "a shot has `clip` or `still`, not both"),
    ],
)
def test_what_a_still_cannot_do_is_told_with_what_it_can(keys: str, why: str, tmp_path: Path) -> None:
    dot(tmp_path / "a.png")
    assert why in refusal(tmp_path, f"title: Bad\nshots: [{{id: a, still: a.png, {keys}}}]\n")


@pytest.mark.parametrize(
    ("still", "why"),
    [
        ("seaa", "did you mean"),
        ("gone.png", "there is no such file"),
        ("text.png", "allowed: a JPEG, PNG or WebP picture"),
        ("https://example.com/a.png", "not read here"),
        ("tiny.png", "it is too small, 8 x 8 px"),
    ],
)
def test_a_still_that_cannot_be_drawn_is_told(still: str, why: str, tmp_path: Path) -> None:
    dot(tmp_path / "a.png")
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (8, 8)).save(tmp_path / "tiny.png")
    text = refusal(tmp_path, f"title: Bad\nframes: {{sea: a.png}}\nshots: [{{id: a, still: '{still}'}}]\n")
    assert why in text


def test_another_picture_move_or_length_is_another_still(tmp_path: Path) -> None:
    dot(tmp_path / "a.png")
    dot(tmp_path / "b.png", (320, 240))
    (tmp_path / "c.png").write_bytes((tmp_path / "a.png").read_bytes())
    board = "title: One\nshots: [{id: a, still: %s}]\n"
    keys = ["a.png", "b.png", "a.png, seconds: 5", "a.png, camera: push in", "c.png"]
    digests = [planned(tmp_path, board % one).digest for one in keys]
    assert len(set(digests)) == 4
    assert digests[0] == digests[4], "the same picture by another name"


@pytest.mark.slow
def test_a_film_of_stills_is_copied_as_they_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dot(tmp_path / "a.png")
    board = "title: Slides\nshots: [{id: a, still: a.png, seconds: 1}, {id: b, still: a.png, seconds: 2, cut: true}]\n"
    path = write_board(tmp_path, board)
    assert main(["plan", path, "--root", "out"]) == 0
    assert "encoded again" not in capsys.readouterr().out
    assert main(["render", path, "--root", "out"]) == 0
    manifest = json.loads((tmp_path / "out/films/slides/manifest.json").read_text())
    assert (manifest["joined"], manifest["frames"]) == ("copy", 72)
