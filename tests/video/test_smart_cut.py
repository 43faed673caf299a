"""What is copied stays bit for bit what it was, whatever is encoded around it."""

import base64
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import av
import av.logging
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minimax_tasks.video.h264 import read_parameter_sets
from tests.browser import Browser, open_browser
from tests.joining import Piece, join
from tests.video.conftest import DARKEST, STEP, written_clip
from tests.video.test_join import assert_plays_everywhere

KINDS = {
    "plain": {"options": {"bf": "0", "g": "12", "sc_threshold": "0"}},
    "late": {"options": {"bf": "3", "b-adapt": "0", "g": "12", "sc_threshold": "0"}},
    "flat": {
        "options": {
            "bf": "2",
            "b-adapt": "0",
            "g": "12",
            "sc_threshold": "0",
            "x264-params": "b-pyramid=none",
        }
    },
    "baseline": {"options": {"profile": "baseline", "g": "12", "sc_threshold": "0"}},
    "untagged": {"options": {"bf": "3", "g": "12", "sc_threshold": "0"}, "tagged": False, "size": (160, 576)},
}
"""Ways in which clips are encoded, each with a picture that begins anew twice a second."""


def pictures_of(path: str) -> list[bytes]:
    """The decoded pictures, bit for bit. Any error of a decoder is one here."""
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as said, av.open(path, options={"err_detect": "explode"}) as container:
            found = [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]
    finally:
        av.logging.set_level(None)
    assert not [words for words in said if words[0] <= av.logging.WARNING], said
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_a_transition_touches_is_encoded(make_clip, shown, out, kind: str) -> None:
    clips = [make_clip(f"{number}.mp4", frames=48, first=5 * number, **KINDS[kind]) for number in range(3)]
    film = join(out, [Piece(clips[0]), Piece(clips[1], "B", "fade", 0.25), Piece(clips[2], "C")])
    assert (film.method, film.reason) == ("encode", "B begins with a fade")
    assert_plays_everywhere(out, 138)
    decoded, sources = pictures_of(out), [pictures_of(clip) for clip in clips]
    assert decoded[:32] == sources[0][:32], "up to where the file can be cut"
    assert decoded[54 : 48 + 42] == sources[1][12:]
    assert decoded[90:] == sources[2]
    assert film.copied >= 32 + 36 + 48
    assert shown(out)[36:42] == shown(clips[0])[36:42], "what is encoded shows the same"
    assert shown(out)[48:54] == shown(clips[1])[6:12]
    with av.open(out) as container:
        sets = read_parameter_sets(bytes(container.streams.video[0].codec_context.extradata or b""))
    assert sets is not None
    assert len(sets.sps) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("piece", "frames"),
    [
        ({"trim": "0.25..1.75"}, range(6, 42)),
        ({"trim": "1..2"}, range(24, 48)),
        ({"trim": "..1.125"}, range(27)),
        ({"hold": 0.5}, [*range(48), *[47] * 12]),
        ({"trim": "0.5..1.5", "hold": 0.25}, [*range(12, 36), *[35] * 6]),
    ],
)
def test_a_trimmed_or_held_clip_is_exact(
    make_clip, shown, out, kind: str, piece: dict[str, object], frames: Sequence[int]
) -> None:
    clips = [make_clip(f"{number}.mp4", frames=48, **KINDS[kind]) for number in range(2)]
    film = join(out, [Piece(clips[0]), Piece(clips[1], "B", **piece)])  # type: ignore[arg-type]
    assert shown(out) == [*range(48), *frames]
    assert_plays_everywhere(out, 48 + len(frames))
    decoded, (one, two) = pictures_of(out), map(pictures_of, clips)
    same = sum(a == b for a, b in zip(decoded, [*one, *(two[number] for number in frames)], strict=True))
    assert same >= film.copied >= 60


def test_a_clip_of_another_kind_is_encoded_alone(make_clip, shown, out) -> None:
    usual = [make_clip(f"{number}.mp4", **KINDS["late"]) for number in range(2)]
    other = make_clip("other.mp4", options={"bf": "2", "refs": "5"})
    film = join(out, [Piece(usual[0]), Piece(other, "Other"), Piece(usual[1])])
    assert film.copied == 48
    assert film.reason == "Other differs from 0.mp4 in encoder parameters"
    assert shown(out) == [*range(24)] * 3
    assert pictures_of(out)[:24] == pictures_of(usual[0])


def test_nothing_is_copied_where_encoded_pictures_would_look_different(make_clip, shown, out) -> None:
    clips = [make_clip(f"{number}.mp4", tagged=False, matrix="ITU601") for number in range(2)]
    film = join(out, [Piece(clips[0]), Piece(clips[1], "B", hold=0.5)])
    assert film.copied == 0
    assert "its colours are not those of BT.709" in film.reason
    assert shown(out) == [*range(24), *range(24), *[23] * 12]


def test_sound_lies_under_copied_pictures(make_clip, out) -> None:
    clips = [make_clip(f"{number}.mp4", frames=48, audio=True, **KINDS["late"]) for number in range(2)]
    film = join(out, [Piece(clips[0]), Piece(clips[1], "B", "fade", 0.25)])
    assert film.copied >= 72
    assert film.sound == "encode"
    with av.open(out) as container:
        times = [float(packet.dts * packet.time_base) for packet in container.demux() if packet.size]
    assert max(abs(one - two) for one, two in pairwise(times)) < 0.2, "interleaved"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Three clips of each kind, of another length each."""
    folder = tmp_path_factory.mktemp("library")
    return {
        kind: [
            written_clip(folder / f"{kind}-{number}.mp4", frames=frames, first=7 * number, **how)
            for number, frames in enumerate((31, 44, 50))
        ]
        for kind, how in KINDS.items()
    }


PIECES = st.builds(
    dict,
    clip=st.integers(0, 2),
    trim=st.sampled_from([None, "0.1..", "..-0.1", "0.3..1.1", "0.5..1", "..0.05"]),
    hold=st.sampled_from([None, None, 0.125]),
    repeats_frame=st.booleans(),
    transition_seconds=st.sampled_from([0.0, 0.0, 0.0, 0.25]),
)


@settings(
    max_examples=settings.default.max_examples * 2 // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kind=st.sampled_from(sorted(KINDS)), pieces=st.lists(PIECES, min_size=1, max_size=5))
def test_any_cut_shows_what_it_shows_when_all_of_it_is_encoded(
    library,
    tmp_path: Path,
    shown,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    pieces: list[dict[str, object]],
) -> None:
    from minimax_tasks.errors import VideoError
    from minimax_tasks.video import join as room
    from minimax_tasks.video.spans import Span, Spans

    made = [
        Piece(
            library[kind][piece["clip"]],  # type: ignore[index]
            str(number),
            "fade" if piece["transition_seconds"] and number else "cut",
            piece["transition_seconds"] if number else 0.0,  # type: ignore[arg-type]
            bool(piece["repeats_frame"]),
            trim=piece["trim"],  # type: ignore[arg-type]
            hold=piece["hold"],  # type: ignore[arg-type]
        )
        for number, piece in enumerate(pieces)
    ]
    smart, plain = str(tmp_path / "smart.mp4"), str(tmp_path / "plain.mp4")
    try:
        film = join(smart, made)
    except VideoError:
        return  # too short for its transitions, or nothing is left of it
    with monkeypatch.context() as patch:
        patch.setattr(room, "spans_of", lambda film: Spans((Span(0, film.frames),), None, ("all",)))
        join(plain, made)
    assert_plays_everywhere(smart, film.frames)
    one, two = shown(smart), shown(plain)
    # A frame that both clips show is shown by the one or by the other of them; here they are not alike.
    free = {
        round(start * 24) - 1 for start, piece in zip(film.starts, made, strict=True) if piece.repeats_frame
    }
    assert [a for at, a in enumerate(one) if at not in free] == [
        b for at, b in enumerate(two) if at not in free
    ]
    pictures_of(smart)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


PAGE = """<!doctype html><video muted src="data:video/mp4;base64,DATA"></video>
<script>
const video = document.querySelector("video"), pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
window.seen = [];
async function look(times) {
  for (const time of times) {
    await new Promise((done) => { video.requestVideoFrameCallback(done); video.currentTime = time; });
    pen.drawImage(video, 0, 0, 16, 16);
    seen.push(pen.getImageData(8, 8, 1, 1).data[1]);
  }
}
</script>"""


@pytest.mark.browser
@pytest.mark.parametrize("kind", KINDS)
def test_a_browser_shows_every_frame(
    make_clip, shown, out, browser: Browser, tmp_path: Path, kind: str
) -> None:
    clips = [make_clip(f"{number}.mp4", frames=48, first=5 * number, **KINDS[kind]) for number in range(2)]
    join(out, [Piece(clips[0], trim="0.25.."), Piece(clips[1], "B", "fade", 0.25, hold=0.25)])
    page = tmp_path / "page.html"
    page.write_text(PAGE.replace("DATA", base64.b64encode(Path(out).read_bytes()).decode()))
    browser.open(page)
    browser.wait_until("document.querySelector('video').readyState >= 2")
    browser.run("document.querySelector('video').play(); 1")
    browser.wait_until("document.querySelector('video').ended")
    numbers = shown(out)
    places = range(0, len(numbers), 3)
    browser.run(f"look({[(place + 0.5) / 24 for place in places]}); 1")
    browser.wait_until(f"seen.length === {len(places)}", seconds=30)
    seen = [round((grey - DARKEST) / STEP) for grey in browser.run("seen")]
    assert seen == [numbers[place] for place in places]
    assert browser.problems == []
