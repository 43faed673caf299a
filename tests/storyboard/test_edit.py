"""The cut of a film is worked out once: whatever shows or writes the film says the same of it."""

import itertools
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from minimax_tasks.errors import ConfigurationError, VideoError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.board import Shot
from minimax_tasks.storyboard.edit import (
    ClipLength,
    CutSource,
    Edit,
    asked_lengths,
    film_rate,
    lay_out,
    make_edit,
)
from minimax_tasks.storyboard.film import FilmMaker, film_folder, length_of
from minimax_tasks.storyboard.plan import Join, Plan
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.probe import probe
from minimax_tasks.video.slate import write_slate
from minimax_tasks.video.stream_layout import read_layout

CLIPS = [(24, 24), (24, 47), (24, 1), (25, 31), (25, 24), (30, 40)]
"""Frames per second and frames of the clips of which films are made."""

JOINS = ["", "", "cut: true", "cut: fade 0.3", "cut: wipeleft 0.1", "cut: dissolve 0.5"]
EDITS = [
    "",
    "",
    "",
    "trim: 0.1..",
    "trim: ..-0.1",
    "trim: 0.2..-0.1",
    "speed: 2",
    "speed: 0.5",
    "hold: 0.3",
    "skip: true",
]
STARTS = ["", "", "from: a", "from: b", "from: a, to: b", "subject: a"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    for number, (fps, frames) in enumerate(CLIPS):
        write_slate(str(folder / f"{number}.mp4"), (64, 36), Fraction(fps), frames / fps, str(number), ())
    return sorted(folder.iterdir())


@st.composite
def boards(draw: st.DrawFn) -> tuple[str, list[int | None]]:
    """A board, and for each of its shots which clip it has, if any."""
    lines, made = ["title: Any", "frames: {a: a.png, b: b.png}", "shots:"], []
    for number in range(draw(st.integers(1, 5))):
        keys = [f"id: s{number}", f"action: Number {number}.", draw(st.sampled_from(STARTS))]
        if number:
            keys.append(draw(st.sampled_from(JOINS)))
        keys.append(draw(st.sampled_from(EDITS)))
        lines.append(f"  - {{{', '.join(filter(None, keys))}}}")
        made.append(draw(st.sampled_from([*range(len(CLIPS)), *range(len(CLIPS)), None])))
    # A board that shows nothing is a mistake, tests/storyboard/test_trims.py.
    assume(not all("skip: true" in line for line in lines[3:]))
    return "\n".join(lines), made


@given(boards())
@example(
    (
        """title: Any
frames: {a: a.png, b: b.png}
shots:
  - {id: s0, action: Number 0.}
  - {id: s1, action: Number 1., cut: wipeleft 0.1, speed: 0.5}
  - {id: s2, action: Number 2.}""",
        [0, 2, 0],  # all of the second shot is a transition: the third cannot lend it a frame
    )
)
@settings(
    max_examples=settings.default.max_examples // 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_film_manifest_report_and_timeline_have_the_same_cut(
    clips: list[Path], board: tuple[str, list[int | None]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, plan = made(Path(folder), board, clips)
        measured = {
            shot.picked.key: length_of(read_layout(str(clips[clip])))
            for shot, clip in zip(plan.shots, board[1], strict=True)
            if clip is not None and not shot.shot.skip
        }
        check_timeline(root, plan, make_edit(plan, measured), folder)
        is_whole = len(measured) == len(plan.shown) > 0
        edit = make_edit(plan, measured, slates=not is_whole)
        maker = FilmMaker(root, plan)
        if not is_whole:
            film = maker.make_partial({}, film=True)
            assert bool(film) != bool(edit.problem())
            if edit.problem():
                page = Path(root.path(film_folder(root, plan)), "report.html").read_text()
                assert f"the partial film cannot be joined: {edit.problem()}" in page
                return
        elif edit.problem():
            with pytest.raises(VideoError, match=re.escape(edit.problem())):
                maker.make()
            return
        else:
            maker.make()
        check_film(root, plan, edit, is_whole)


def made(folder: Path, board: tuple[str, list[int | None]], clips: Sequence[Path]) -> tuple[Storage, Plan]:
    text, numbers = board
    for name in "ab":
        Image.new("RGB", (640, 360), {"a": "teal", "b": "orange"}[name]).save(folder / f"{name}.png")
    (folder / "board.yaml").write_text(text)
    root = Storage(str(folder / "out"))
    plan = make_plan(str(folder / "board.yaml"), root=root.url, language="en")
    for shot, number in zip(plan.shots, numbers, strict=True):
        if number is not None:
            root.put(clips[number], f"clips/{shot.picked.key}/video.mp4")
    return root, plan


def check_film(root: Storage, plan: Plan, edit: Edit, is_whole: bool) -> None:
    folder = root.path(film_folder(root, plan))
    name = "film.mp4" if is_whole else "film.partial.mp4"
    film = probe(f"{folder}/{name}", "decode")
    starts = [float(cut.starts_at) for cut in edit.cuts]
    assert film.ok
    assert (film.fps, film.frames) == (edit.rate, edit.seconds * (edit.rate or 0))
    with av.open(f"{folder}/{name}") as container:
        chapters = [float(one["start"] * one["time_base"]) for one in container.chapters()]
    assert chapters == pytest.approx(starts, abs=0.001)
    page = Path(folder, "report.html").read_text()
    told = re.findall(r'data-start="([^"]+)" data-seconds', page)
    assert [float(start) for start in told] == starts
    if is_whole:
        manifest = json.loads(Path(folder, "manifest.json").read_text())
        assert [shot["starts_at"] for shot in manifest["shots"]] == pytest.approx(starts, abs=1e-4)
        assert (manifest["frames"], manifest["fps"]) == (film.frames, film.fps)


def check_timeline(root: Storage, plan: Plan, edit: Edit, folder: str) -> None:
    otio = pytest.importorskip("opentimelineio", reason="it has no wheel for this Python")
    from minimax_tasks.storyboard.exports.formats import write_timeline

    out = f"{folder}/cut.otio"
    if edit.problem():
        with pytest.raises(ConfigurationError, match=re.escape(edit.problem())):
            write_timeline(root, plan, out)
        return
    missing = write_timeline(root, plan, out).missing
    assert set(missing) == {shot.shot.id for shot in plan.shown} - {cut.shot for cut in edit.cuts}
    (track,) = otio.adapters.read_from_file(out).video_tracks()
    if edit.cuts:
        assert track.duration() == otio.opentime.RationalTime(
            edit.frames(edit.seconds), float(edit.rate or 0)
        )
    # A frame that is held is an item of its own, behind its clip.
    clips = [item for item in track.find_clips() if not item.metadata["minimax_tasks"]["is_held"]]
    transitions = [item for item in track if isinstance(item, otio.schema.Transition)]
    for clip, cut in zip(clips, edit.cuts, strict=True):
        # The middle of the overlap is where one clip gives way to the next; a half frame belongs to the later.
        begins = edit.frames(cut.starts_at) + edit.frames(cut.overlap) // 2
        assert track.range_of_child(clip).start_time.value == begins
        there, shown = clip.media_reference.available_range, clip.source_range
        assert there.start_time <= shown.start_time
        # The length is that in the film: a clip that is slowed down uses less of its media.
        used = otio.opentime.RationalTime(shown.duration.value * float(cut.speed), shown.duration.rate)
        assert shown.start_time + used <= there.end_time_exclusive()
    assert [one.name for one in transitions] == [cut.join.kind for cut in edit.cuts if cut.overlap]
    wipes = [one for one in transitions if one.name == "wipeleft"]
    assert {one.transition_type for one in wipes} <= {"Custom_Transition"}


sources = st.builds(
    CutSource,
    shot=st.just(Shot(id="s")),
    join=st.builds(
        lambda seconds, repeats: Join("fade" if seconds else "cut", seconds, repeats and not seconds),
        st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.25]),
        st.booleans(),
    ),
    length=st.builds(
        lambda frames, fps: ClipLength(Fraction(frames) / fps, fps, frames),
        st.integers(1, 400),
        st.sampled_from([Fraction(24), Fraction(25), Fraction(30), Fraction(24_000, 1001)]),
    ),
    is_slate=st.booleans(),
)


@pytest.mark.parametrize(
    ("trim", "frame"), [("5.9..6", 140), ("5.9..", 140), ("..-5.9", 0), ("-6..-5.9", 0), ("5.8..6", 139)]
)
def test_a_trim_at_the_end_of_a_clip_that_is_a_little_short_shows_a_frame(trim: str, frame: int) -> None:
    short = ClipLength(Fraction(141, 24), Fraction(24), 141)
    join = Join("cut", 0.0, repeats_frame=False)
    edit = lay_out([CutSource(shot=Shot(id="s", trim=trim), join=join, length=short)], Fraction(24))
    assert not edit.problem()
    assert edit.cuts[0].source_in * 24 == frame


def test_a_trim_far_behind_the_end_shows_nothing() -> None:
    short = ClipLength(Fraction(5), Fraction(24), 120)
    source = CutSource(
        shot=Shot(id="s", trim="5.9..6"), join=Join("cut", 0.0, repeats_frame=False), length=short
    )
    assert "no frame of it is left" in lay_out([source], Fraction(24)).problem()


@given(st.lists(sources, min_size=1, max_size=8))
def test_a_measured_edit_lies_on_whole_frames_and_every_clip_keeps_its_length(found: list[CutSource]) -> None:
    rate = film_rate([source.length for source in found])
    assert rate is not None
    edit = lay_out(found, rate)
    assert edit.cuts[0].starts_at == 0
    for one, two in itertools.pairwise(edit.cuts):
        assert two.starts_at == one.ends_at - two.overlap
        assert not (two.overlap and two.drops_repeated_frame)
        assert not (two.drops_repeated_frame and (one.is_slate or two.is_slate)), "a card repeats nothing"
    for cut, source in zip(edit.cuts, found, strict=True):
        for time in (cut.source_in, cut.source_out, cut.starts_at, cut.overlap):
            assert (time * rate).denominator == 1
        assert (
            abs(cut.source_out - source.length.seconds) <= Fraction(1, 2) / rate or cut.source_out == 1 / rate
        )
        assert cut.source_in == cut.drops_repeated_frame / rate
    frames = sum(edit.frames(cut.length) - edit.frames(cut.overlap) for cut in edit.cuts)
    assert frames == edit.frames(edit.seconds) == edit.seconds * rate


def test_a_plan_has_the_lengths_that_it_asks_for(tmp_path: Path, picture: Callable[..., object]) -> None:
    picture("a.png")
    board = tmp_path / "board.yaml"
    board.write_text(
        "title: Any\nframes: {a: a.png}\nshots:\n"
        "  - {id: one, from: a, to: a, action: First.}\n"
        "  - {id: two, action: Second.}\n"
        "  - {id: three, cut: fade 0.5, seconds: 10, action: Third.}\n"
    )
    plan = make_plan(str(board), root=str(tmp_path / "out"), language="en")
    edit = make_edit(plan, asked_lengths(plan))
    assert (edit.rate, edit.seconds) == (None, Fraction(43, 2))
    assert [cut.starts_at for cut in edit.cuts] == [0, 6, Fraction(23, 2)]
    assert [cut.drops_repeated_frame for cut in edit.cuts] == [False, True, False]
    only = make_edit(plan, {plan.shots[1].picked.key: ClipLength(Fraction(6), Fraction(24), 144)})
    assert [(cut.shot, cut.join.kind, cut.length) for cut in only.cuts] == [("two", "", 6)]
