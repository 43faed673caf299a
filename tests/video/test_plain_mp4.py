"""A good clip is judged without FFmpeg's demuxer: nobody may see a difference. A file object always goes through it."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from minimax_tasks.video.plain_mp4 import read_plain_mp4
from minimax_tasks.video.probe import probe
from tests.video.conftest import written_clip


def noise(number, size):
    pixels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "clip.mp4"
    return Path(written_clip(path, b_frames=True, picture=noise, size=(64, 36))).read_bytes()


def agree(path, data):
    """What both ways say of a file."""
    path.write_bytes(data)
    found = probe(path, "keyframes")
    assert found == probe(io.BytesIO(data), "keyframes")
    return found


PLAIN = {
    "as we write it": {},
    "index at the end": {"movflags": "disable_chpl"},
    "B-frames": {"b_frames": True},
    "one key frame": {"options": {"g": "250"}},
    "an odd size": {"size": (98, 58)},
    "full range": {"pix_fmt": "yuvj420p"},
    "every colour": {"pix_fmt": "yuv444p"},
    "60 a second": {"fps": 60},
    "one picture": {"frames": 1},
    "key frames alone": {"options": {"g": "1"}},
}


@pytest.mark.parametrize("kind", PLAIN)
def test_a_plain_clip_is_what_ffmpeg_says(tmp_path, kind):
    data = Path(written_clip(tmp_path / "written.mp4", **PLAIN[kind])).read_bytes()
    assert read_plain_mp4(data) is not None
    assert agree(tmp_path / "clip.mp4", data).ok


OTHERS = {
    "sound": {"audio": True},
    "HEVC": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "MPEG-4": {"codec": "mpeg4", "options": {"bf": "0"}},
    "fragments": {"movflags": "frag_keyframe+empty_moov"},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_any_other_clip_is_left_to_ffmpeg(tmp_path, kind):
    data = Path(written_clip(tmp_path / "written.mp4", **OTHERS[kind])).read_bytes()
    assert read_plain_mp4(data) is None
    assert agree(tmp_path / "clip.mp4", data).frames == 24


@pytest.mark.parametrize("length", [0, 7, 40, 1000, -1000, -1])
def test_a_clip_that_is_cut_off_is_not_good(tmp_path, plain, length):
    assert not agree(tmp_path / "clip.mp4", plain[:length]).ok


def test_a_key_frame_that_cannot_be_decoded_is_noticed(tmp_path, plain):
    begin, end = read_plain_mp4(plain).packets[0]
    middle = (begin + end) // 2
    damaged = plain[:middle] + b"\xff" * 64 + plain[middle + 64 :]
    assert not agree(tmp_path / "clip.mp4", damaged).ok


def test_zeros_in_any_packet_are_noticed(tmp_path, plain):
    for begin, end in read_plain_mp4(plain).packets[1::5]:
        assert not agree(tmp_path / "clip.mp4", plain[:begin] + bytes(end - begin) + plain[end:]).ok


@settings(deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_never_called_good_that_ffmpeg_finds_wrong(data, plain, tmp_path_factory):
    index = plain.find(b"moov")
    if data.draw(st.booleans(), label="in the index"):
        at = data.draw(st.integers(index, index + int.from_bytes(plain[index - 4 : index], "big") - 5))
    else:
        at = data.draw(st.integers(0, len(plain) - 1))
    changed = plain[:at] + bytes([data.draw(st.integers(0, 255))]) + plain[at + 1 :]
    path = tmp_path_factory.getbasetemp() / "changed.mp4"
    path.write_bytes(changed)
    found = probe(path, "keyframes")
    if found.ok:
        assert found == probe(io.BytesIO(changed), "keyframes")


def test_letters_in_an_index_that_are_none_are_a_problem_and_no_error(tmp_path, plain):
    path = tmp_path / "clip.mp4"
    path.write_bytes(plain.replace(b"VideoHandler", b"Video\xf0\x28\x8c\x28ler"))
    assert b"VideoHandler" in plain
    assert probe(path).frames == probe(io.BytesIO(path.read_bytes()), "keyframes").frames == 24


@pytest.mark.parametrize("level", ["header", "packets", "keyframes", "decode"])
def test_a_codec_that_nobody_knows_is_a_problem_and_no_error(tmp_path, plain, level):
    path = tmp_path / "clip.mp4"
    path.write_bytes(plain.replace(b"avc1\0\0\0\0", b"zzz9\0\0\0\0"))
    assert "the codec is unknown" in probe(path, level).problems[0]


def test_a_packet_that_calls_itself_a_key_frame_is_decoded_as_one(tmp_path, plain):
    index = read_plain_mp4(plain)
    at = next(begin for number, (begin, _) in enumerate(index.packets) if number not in index.keyframes) + 4
    assert plain[at] & 31 == 1
    changed = plain[:at] + bytes([plain[at] | 5]) + plain[at + 1 :]
    assert not agree(tmp_path / "clip.mp4", changed).ok
