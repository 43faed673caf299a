"""Shots that are not generated: footage beside generated shots, judged before anything is paid, and never paid for."""

import functools
import io
import json
import shutil
import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from minimax_tasks import BoardError
from minimax_tasks.commands.main import main
from minimax_tasks.errors import VideoError
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.film import FilmMaker
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.colour import frame_of
from minimax_tasks.video.probe import probe
from tests.decoded import pictures_in
from tests.storyboard.boards import write_board
from tests.video.conftest import grey, number_of


def footage(
    path: Path, frames: int = 36, fps: int = 24, size: tuple[int, int] = (320, 180), first: int = 0
) -> Path:
    """A video whose pictures say their number."""
    path.write_bytes(_encoded(path.suffix.removeprefix("."), frames, fps, size, first))
    return path


@functools.cache
def _encoded(kind: str, frames: int, fps: int, size: tuple[int, int], first: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            container.mux(stream.encode(frame_of(grey((first + number) % 60, size))))
        container.mux(stream.encode(None))
    return out.getvalue()


def numbers(path: Path) -> list[int]:
    return [number_of(picture) for picture in pictures_in(path)]


def planned(folder: Path, text: str):  # type: ignore[no-untyped-def]
    return make_plan(write_board(folder, text), root=str(folder / "out"), language="en")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(BoardError) as caught:
        planned(folder, text)
    return str(caught.value)


MIXED = """\
    title: Mixed
    defaults: {model: MiniMax-Hailuo-02, resolution: 768P}
    shots:
      - {id: "010", clip: footage/wave.mp4, trim: 0.5.., notes: The sea.}
      - {id: "020", action: A gull lifts off.}
      - {id: "030", clip: footage/wave.mp4, cut: fade 0.25, speed: 2}
    """


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    (tmp_path / "footage").mkdir()
    footage(tmp_path / "footage/wave.mp4", size=(640, 360))
    return write_board(tmp_path, MIXED)


def test_footage_stands_beside_generated_shots_and_is_never_paid(
    mixed: str, tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", mixed, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["total"]["clips_to_pay"] == 1
    own = told["shots"][0]["segments"][0]
    assert (own["mode"], own["usd"], own["seconds"], own["kind"]) == ("own", 0.0, 1.5, "footage")
    assert main(["plan", mixed]) == 0
    table = capsys.readouterr().out
    assert "1.5 s -> 1 s own" in table
    assert "1 to pay" in table
    assert "footage (010)" in table

    assert main(["render", mixed, "--sandbox", "--scale", "90P"]) == 0
    root = Path("minimax-output")
    manifest = json.loads(next(root.glob("films/*/manifest.json")).read_text())
    assert manifest["seconds"] == pytest.approx(1 + 6 + 0.75 - 0.25, abs=0.1)
    assert len(list((root / "clips").glob("*/video.mp4"))) == 1
    request = json.loads(next(root.glob("clips/*/request.json")).read_text())
    assert request["pictures"]["first_frame_image"]["is"] == f"clip:{own['key']}#last"
    capsys.readouterr()
    assert main(["plan", mixed, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["clips_to_pay"] == 0


def test_a_chain_goes_on_from_the_last_frame_of_footage(mixed: str, tmp_path: Path, sandbox: Sandbox) -> None:
    assert main(["render", mixed, "--root", "out"]) == 0
    plan = make_plan(mixed, root="out", language="en")
    kept = Path("out/own") / plan.shots[0].key / "frame-last.png"
    assert kept.stat().st_size > 0
    shutil.rmtree("out/films")
    Path("footage/wave.mp4").rename("footage/moved.mp4")
    write_board(tmp_path, MIXED.replace("wave", "moved"))
    again = make_plan(mixed, root="out", language="en")
    assert [one.key for one in again.segments] == [one.key for one in plan.segments], (
        "moved is the same footage"
    )
    assert main(["render", mixed, "--root", "out"]) == 0
    assert len(list(Path("out/clips").glob("*/submission.json"))) == 1


def test_a_film_of_footage_alone_needs_no_service_and_shows_what_the_trims_say(tmp_path: Path) -> None:
    footage(tmp_path / "a.mp4", 24, size=(96, 54))
    footage(tmp_path / "b.mp4", 24, size=(96, 54), first=24)
    path = write_board(
        tmp_path,
        """\
        title: Found
        shots:
          - {id: a, clip: a.mp4, trim: 0.25..0.75}
          - {id: b, clip: b.mp4, trim: 0.5.., hold: 0.25}
        """,
    )
    assert main(["render", path, "--root", "out"]) == 0
    shown = numbers(tmp_path / "out/films/found/film.mp4")
    assert shown == [*range(6, 18), *range(36, 48), *[47] * 6]
    assert not (tmp_path / "out/clips").exists() or not list((tmp_path / "out/clips").glob("*/claim*"))


def test_another_file_makes_another_film_and_the_same_bytes_do_not(tmp_path: Path) -> None:
    footage(tmp_path / "a.mp4", 12)
    footage(tmp_path / "b.mp4", 12, first=30)
    shutil.copy(tmp_path / "a.mp4", tmp_path / "copy.mp4")
    board = "title: One\nshots: [{id: a, clip: %s}]\n"
    one, two, copy = (planned(tmp_path, board % name).digest for name in ("a.mp4", "b.mp4", "copy.mp4"))
    assert one == copy != two


def test_a_clip_of_another_root_is_a_shot_by_its_key(tmp_path: Path, sandbox: Sandbox) -> None:
    other = write_board(tmp_path, "title: Other\nshots: [{id: a, action: Rain.}]\n", "other.yaml")
    assert main(["render", other, "--root", "there"]) == 0
    key = make_plan(other, root="there", language="en").shots[0].key
    board = 'title: Here\nshots: [{{id: a, clip: {{root: there, key: "{key}"}}}}]\n'
    path = write_board(tmp_path, board.format(key=key))
    assert main(["render", path, "--root", "here"]) == 0
    assert probe(tmp_path / "here/films/here/film.mp4").frames == probe(f"there/clips/{key}/video.mp4").frames
    assert not list((tmp_path / "here").glob("clips/*/claim*"))
    text = refusal(tmp_path, board.format(key="0" * 32))
    assert f"clip {'0' * 32} is not made under" in text
    assert "board.yaml:2" in text


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("sound.mp4", "there is no video stream"),
        ("text.mp4", "not a readable video"),
        ("cut-off.mp4", "cut-off.mp4: "),
        ("gone.mp4", "there is no such file"),
        (".", "folder"),
        ("https://example.com/a.mp4", "it is on the web"),
        ("zip://a.mp4::https://example.com/a.zip", "chain of protocols"),
        ("one.mp4", "there is one picture in it; write `still`"),
        ("list.mp4", "kind that is known"),
    ],
)
def test_footage_that_cannot_be_shown_is_told_before_anything_is_paid(
    name: str, why: str, tmp_path: Path
) -> None:
    whole = footage(tmp_path / "whole.mp4", 48)
    (tmp_path / "cut-off.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    footage(tmp_path / "one.mp4", 1)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile whole.mp4\n")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 48_000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    text = refusal(
        tmp_path, f'title: Bad\nshots: [{{id: "010", clip: "{name}"}}, {{id: b, action: Rain.}}]\n'
    )
    assert why in text
    assert "shot 010" in text
    assert "board.yaml:2" in text


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("prompt: Rain.", "takes no `prompt`"),
        ("takes: 2", "takes no `takes`"),
        ("from: a.png", "takes no `from`"),
        ("seconds: 4", "takes no `seconds`"),
        ("trim: 5..", "trim = 5..: the clip of shot a has 1.5 s"),
    ],
)
def test_footage_takes_no_key_of_a_generated_shot(keys: str, why: str, tmp_path: Path) -> None:
    footage(tmp_path / "a.mp4")
    assert why in refusal(tmp_path, f"title: Bad\nshots: [{{id: a, clip: a.mp4, {keys}}}]\n")


@pytest.mark.parametrize(
    "clip", ["{root: there}", "{key: 00}", "{file: a.mp4, root: there, key: 00}", "{}", "[]", "7", '""']
)
def test_a_clip_that_is_neither_a_file_nor_one_of_a_root_is_told(clip: str, tmp_path: Path) -> None:
    assert "allowed: " in refusal(tmp_path, f"title: Bad\nshots: [{{id: a, clip: {clip}}}]\n")


def test_a_moment_behind_the_end_of_footage_is_told(tmp_path: Path) -> None:
    footage(tmp_path / "a.mp4", size=(640, 360))
    board = "title: Bad\nshots: [{id: a, clip: a.mp4}, {id: b, action: Rain., from: a@%s}]\n"
    assert "shot a ends at 1.5 s" in refusal(tmp_path, board % "1.6")
    assert planned(tmp_path, board % "1.4").shots[1].first is not None


def test_footage_of_another_rate_lying_on_its_side_keeps_its_length_and_stands_up(tmp_path: Path) -> None:
    upright = footage(tmp_path / "upright.mp4", 45, fps=30, size=(180, 320))
    plan = planned(tmp_path, "title: Up\nshots: [{id: a, clip: upright.mp4}]\n")
    assert plan.shots[0].own is not None
    assert plan.shots[0].own.shape == (180, 320)
    assert plan.shots[0].seconds == Fraction(3, 2)
    FilmMaker(Storage(str(tmp_path / "out")), plan).make()
    assert probe(tmp_path / "out/films/up/film.mp4").frames == probe(upright).frames == 45


def test_footage_and_stills_take_the_shape_that_the_film_is_asked_to_have(tmp_path: Path) -> None:
    footage(tmp_path / "wide.mp4", 12, size=(320, 180))
    Image.new("RGB", (300, 300), "teal").save(tmp_path / "square.png")
    board = """\
        title: Tall
        picture: {aspect: "9:16", size: 180x320, fill: crop}
        shots:
          - {id: a, clip: wide.mp4, crop: left}
          - {id: b, still: square.png, seconds: 1, camera: push in, cut: true}
        """
    path = write_board(tmp_path, board)
    assert main(["render", path, "--root", "out"]) == 0
    film = probe(tmp_path / "out/films/tall/film.mp4")
    assert (film.width, film.height, film.frames) == (180, 320, 36)
    assert [file.name for file in (tmp_path / "out/own").glob("*/*.mp4")] == ["180x320-24.mp4"]


def test_an_export_refers_to_the_footage_with_the_part_that_the_film_shows(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    footage(tmp_path / "sea.mp4", 48, size=(96, 54))
    Image.new("RGB", (300, 300), "teal").save(tmp_path / "square.png")
    board = """\
        title: Out
        shots:
          - {id: a, clip: sea.mp4, trim: 0.5..1.5}
          - {id: b, still: square.png, seconds: 1, cut: true}
        """
    path = write_board(tmp_path, board)
    assert main(["render", path, "--root", "out"]) == 0
    assert main(["export", path, "out.otio", "--root", "out"]) == 0
    first, second = otio.adapters.read_from_file("out.otio").video_tracks()[0].find_clips()
    assert Path(first.media_reference.target_url.removeprefix("file://")) == tmp_path / "sea.mp4"
    assert (first.source_range.start_time.value, first.source_range.duration.value) == (12, 24)
    drawn = Path(second.media_reference.target_url.removeprefix("file://"))
    assert probe(drawn).frames == 24
    assert main(["export", path, "out.csv", "--root", "out"]) == 0
    assert "footage" in Path("out.csv").read_text(encoding="utf-8-sig")


def on_its_side(path: Path) -> Path:
    """Make the header of a video ask for a quarter turn, as that of a phone held upright does."""
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def test_footage_that_lies_on_its_side_is_shown_and_continued_upright(tmp_path: Path) -> None:
    on_its_side(footage(tmp_path / "phone.mp4", 12, size=(640, 360)))
    plan = planned(tmp_path, "title: Phone\nshots: [{id: a, clip: phone.mp4}, {id: b, action: Rain.}]\n")
    own = plan.shots[0].own
    assert own is not None
    assert own.shape == (360, 640)
    assert own.frame("last").size == (360, 640)


def test_footage_of_uneven_times_keeps_them_to_the_frame(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "phone.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 96, 54, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, at in enumerate([0, 42, 83, 125, 250, 292, 333, 375, 417, 458]):
            frame = frame_of(grey(number, (96, 54)))
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    plan = planned(tmp_path, "title: Phone\nshots: [{id: a, clip: phone.mp4}]\n")
    assert plan.shots[0].seconds == pytest.approx(0.5, abs=0.02)
    FilmMaker(Storage(str(tmp_path / "out")), plan).make()
    assert numbers(tmp_path / "out/films/phone/film.mp4") == [0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9]


def test_footage_may_lie_on_a_storage(tmp_path: Path) -> None:
    storage = Storage("memory://footage-of-a-film")
    storage.put(footage(tmp_path / "a.mp4", 12, size=(96, 54)), "sea.mp4")
    path = write_board(tmp_path, 'title: Far\nshots: [{id: a, clip: "memory://footage-of-a-film/sea.mp4"}]\n')
    assert main(["render", path, "--root", "out"]) == 0
    assert numbers(tmp_path / "out/films/far/film.mp4") == list(range(12))


def test_footage_that_is_too_long_is_told(tmp_path: Path) -> None:
    footage(tmp_path / "long.mp4", 602, fps=1, size=(64, 36))
    text = refusal(tmp_path, "title: Long\nshots: [{id: a, clip: long.mp4}]\n")
    assert "it has 602 s; allowed: at most 600 s" in text


@pytest.mark.parametrize("gone", [True, False])
def test_footage_that_changed_since_the_plan_is_not_joined(gone: bool, tmp_path: Path) -> None:
    path = footage(tmp_path / "a.mp4", 12)
    plan = planned(tmp_path, "title: One\nshots: [{id: a, clip: a.mp4}]\n")
    path.unlink()
    if not gone:
        footage(path, 12, first=30)
    with pytest.raises(VideoError, match="no such file" if gone else "has changed; run it again"):
        FilmMaker(Storage(str(tmp_path / "out")), plan).make()


def test_a_film_with_holes_shows_footage_where_it_is(tmp_path: Path) -> None:
    footage(tmp_path / "a.mp4", 12, size=(96, 54))
    Image.new("RGB", (300, 300), "teal").save(tmp_path / "square.png")
    board = """\
        title: Holes
        shots:
          - {id: a, clip: a.mp4}
          - {id: b, action: Rain., cut: true}
          - {id: c, still: square.png, seconds: 1, cut: true}
        """
    root = Storage(str(tmp_path / "out"))
    film = FilmMaker(root, planned(tmp_path, board)).make_partial({}, film=True)
    assert probe(film).frames == 12 + 6 * 24 + 24
    page = (tmp_path / "out/films/holes/report.html").read_text()
    assert page.count('<span class="status">done</span>') == 2
