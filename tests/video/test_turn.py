"""Clips that ask to be turned before they are shown."""

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from minimax_tasks.video.frames import first_frame, frame_at, last_frame
from minimax_tasks.video.previews import preview_mp4
from minimax_tasks.video.probe import probe
from minimax_tasks.video.stream_layout import read_layout
from minimax_tasks.video.turn import UPRIGHT, Turn, read_turn
from minimax_tasks.video.upright import is_upright, may_ask_for_a_turn
from tests.joining import Piece, join

STORED = (96, 54)
CORNERS = ((230, 30, 30), (30, 200, 30), (40, 40, 230), (230, 220, 40))
"""Top left, top right, bottom left, bottom right."""

# (a, b, c, d) of the matrix -> where the four corners are seen, in the order of CORNERS.
MATRICES = {
    Turn(): ((1, 0, 0, 1), (0, 1, 2, 3)),
    Turn(90): ((0, 1, -1, 0), (2, 0, 3, 1)),
    Turn(180): ((-1, 0, 0, -1), (3, 2, 1, 0)),
    Turn(270): ((0, -1, 1, 0), (1, 3, 0, 2)),
    Turn(0, True): ((-1, 0, 0, 1), (1, 0, 3, 2)),
    Turn(180, True): ((1, 0, 0, -1), (2, 3, 0, 1)),
    Turn(90, True): ((0, -1, -1, 0), (3, 1, 2, 0)),
    Turn(270, True): ((0, 1, 1, 0), (0, 2, 1, 3)),
}


def corners(number, size):
    image = Image.new("RGB", size)
    half = size[0] // 2, size[1] // 2
    for place, colour in enumerate(CORNERS):
        left, top = place % 2 * half[0], place // 2 * half[1]
        image.paste(colour, (left, top, left + half[0], top + half[1]))
    return image


def seen_in(image):
    """Which of the corners is seen top left, top right, bottom left and bottom right."""
    points = [(x * image.width // 4, y * image.height // 4) for y in (1, 3) for x in (1, 3)]
    return tuple(
        min(range(4), key=lambda one: np.abs(np.subtract(CORNERS[one], image.getpixel(point))).sum())
        for point in points
    )


@pytest.fixture
def turned_clip(make_clip):
    """Writes a clip of four coloured corners whose header asks for a turn."""

    def make(turn, name="turned.mp4", **options):
        path = make_clip(name, picture=corners, **options)
        data = bytearray(Path(path).read_bytes())
        a, b, c, d = (value << 16 for value in MATRICES[turn][0])
        at = data.find(b"tkhd") + 44
        data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
        Path(path).write_bytes(data)
        return path

    return make


def frames_of(path):
    """The pictures of a film as a player shows them that heeds its matrix."""
    with av.open(path) as container:
        angles = [(frame.rotation, frame.to_image()) for frame in container.decode(video=0)]
    return [image.rotate(angle, expand=True) for angle, image in angles]


@pytest.mark.parametrize("turn", MATRICES, ids=str)
def test_frames_are_the_right_way_up(turned_clip, turn):
    clip = turned_clip(turn)
    for image in (first_frame(clip), last_frame(clip), frame_at(clip, 0.5)):
        assert image.size == (STORED if turn.degrees % 180 == 0 else STORED[::-1])
        assert seen_in(image) == MATRICES[turn][1]


@pytest.mark.parametrize("turn", MATRICES, ids=str)
@pytest.mark.parametrize("level", ["header", "packets", "decode"])
def test_a_probe_knows_the_turn(turned_clip, turn, level):
    found = probe(turned_clip(turn), level)
    assert found.ok, found.problems
    assert found.turn == turn
    assert (found.width, found.height) == STORED
    assert found.shown_size == (STORED if turn.degrees % 180 == 0 else STORED[::-1])


def test_what_is_no_video_asks_for_nothing(tmp_path):
    (tmp_path / "page.mp4").write_text("<html>")
    assert read_turn(tmp_path / "page.mp4") == UPRIGHT


@pytest.mark.parametrize("turn", [turn for turn in MATRICES if turn], ids=str)
def test_a_turned_clip_is_turned_when_it_is_encoded(turned_clip, make_clip, tmp_path, turn):
    shape = STORED if turn.degrees % 180 == 0 else STORED[::-1]
    upright = [make_clip(f"{number}.mp4", size=shape, picture=corners) for number in range(2)]
    film = join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in (turned_clip(turn), *upright)])
    assert (film.method, film.width, film.height) == ("encode", *shape)
    assert film.notes == (f"turned.mp4: {turn}, as the file asks",)
    shown = frames_of(tmp_path / "film.mp4")
    assert {image.size for image in shown} == {shape}
    assert seen_in(shown[12]) == MATRICES[turn][1]
    assert seen_in(shown[30]) == (0, 1, 2, 3)
    assert read_turn(tmp_path / "film.mp4") == UPRIGHT


def test_two_clips_of_one_size_that_differ_in_their_turn_are_not_alike(turned_clip, make_clip, tmp_path):
    clips = [make_clip("a.mp4", picture=corners), turned_clip(Turn(180), "b.mp4")]
    film = join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in clips])
    assert (film.method, film.reason) == ("encode", "b.mp4 differs from a.mp4 in the way up")
    shown = frames_of(tmp_path / "film.mp4")
    assert (seen_in(shown[0]), seen_in(shown[47])) == ((0, 1, 2, 3), (3, 2, 1, 0))


def test_clips_that_are_turned_alike_are_shown_right_however_they_are_joined(turned_clip, tmp_path):
    clips = [turned_clip(Turn(90), f"{number}.mp4") for number in range(2)]
    film = join(str(tmp_path / "film.mp4"), [Piece(clip) for clip in clips])
    assert (film.width, film.height) == STORED[::-1]
    assert {seen_in(image) for image in frames_of(tmp_path / "film.mp4")} == {MATRICES[Turn(90)][1]}
    assert seen_in(last_frame(tmp_path / "film.mp4")) == MATRICES[Turn(90)][1]


def test_a_preview_is_the_right_way_up(turned_clip, tmp_path):
    (tmp_path / "preview.mp4").write_bytes(preview_mp4(turned_clip(Turn(270))))
    assert seen_in(first_frame(tmp_path / "preview.mp4")) == MATRICES[Turn(270)][1]
    assert probe(tmp_path / "preview.mp4").width == STORED[1]


def test_what_is_not_turned_is_told_without_decoding_it(
    make_clip: Callable[..., str], tmp_path: Path
) -> None:
    plain = make_clip("plain.mp4")
    assert is_upright(plain)
    turned = tmp_path / "turned.mp4"
    with av.open(plain) as source, av.open(str(turned), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    assert not is_upright(str(turned))
    assert read_layout(str(turned)).turn == read_turn(str(turned)) != UPRIGHT
    data = Path(plain).read_bytes()
    for cut in (b"", data[:40], data[:-100].replace(b"tkhd", b"tkhe"), data.replace(b"moov", b"moof")):
        (tmp_path / "odd.mp4").write_bytes(cut)
        assert not is_upright(str(tmp_path / "odd.mp4"))


@pytest.mark.parametrize(
    ("packet", "asks"),
    [
        (b"\x00\x00\x00\x04\x06\x2f\x01\x80", True),
        (b"\x00\x00\x00\x06\x06\x05\x01\x00\x2f\x01", True),
        (b"\x00\x00\x00\x05\x06\x05\x02\x2f\x80", False),
        (b"\x00\x00\x00\x04\x65\x2f\x01\x80", False),
        (b"\x00\x00\x00\x04\x06\xff\xff\xff", False),
        (b"\xff\xff\xff\xff\x06", False),
    ],
)
def test_a_remark_in_the_pictures_may_ask_for_a_turn(packet: bytes, asks: bool) -> None:
    assert may_ask_for_a_turn(packet, 4) == asks
