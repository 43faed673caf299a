"""The layout of a clip is that of its decoded pictures, whether or not one had to be decoded to know it."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.video.sps import read_facts
from minimax_tasks.video.stream_layout import read_layout
from minimax_tasks.video.turn import turn_of
from tests.video.conftest import written_clip
from tests.video.test_film_sound import loud_clip

CLIPS = {
    "plain": {},
    "untagged": {"tagged": False},
    "baseline": {"options": {"profile": "baseline"}},
    "main": {"options": {"profile": "main"}, "b_frames": True},
    "B frames": {"b_frames": True},
    "odd lines that are cropped": {"size": (98, 54)},
    "10 bits": {"pix_fmt": "yuv420p10le"},
    "4:2:2": {"pix_fmt": "yuv422p"},
    "4:4:4": {"pix_fmt": "yuv444p"},
    "full range": {"pix_fmt": "yuvj420p"},
    "wide pixels": {"options": {"x264-params": "sar=4/3"}},
    "odd pixels": {"options": {"x264-params": "sar=64/45"}},
    "colours in the stream": {"options": {"x264-params": "colormatrix=smpte170m:range=tv"}, "tagged": False},
    "colours in the stream against the file's": {
        "options": {"x264-params": "colormatrix=bt470bg:colorprim=bt470bg:transfer=bt470bg:range=tv"}
    },
    "scaling lists": {"options": {"x264-params": "cqm=jvt"}},
    "fields": {"options": {"x264-params": "tff=1"}, "size": (96, 64)},
    "mpeg4": {"codec": "mpeg4"},
}


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("keeps_colours_beside", [True, False])
def test_a_layout_is_that_of_the_decoded_pictures(
    tmp_path: Path, name: str, keeps_colours_beside: bool
) -> None:
    movflags = "+faststart" if keeps_colours_beside else "+faststart-write_colr"
    path = written_clip(tmp_path / "clip.mp4", 8, movflags=movflags, **CLIPS[name])
    layout = read_layout(path)
    with av.open(path) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        context = stream.codec_context
        assert layout.pixels == stream.pix_fmt == frame.format.name
        assert layout.colours == (
            context.color_range,
            context.colorspace,
            context.color_primaries,
            context.color_trc,
        )
        assert layout.pixel_aspect == (stream.sample_aspect_ratio or 1)
        assert layout.size == turn_of(frame).size(stream.width, stream.height)
        assert (layout.fps, layout.frames, layout.codec) == (24, 8, context.codec.canonical_name)
        assert layout.seconds == Fraction(1, 3)


@pytest.mark.parametrize("rate", [22_050, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_a_layout_names_the_sound_as_its_decoder_does(tmp_path: Path, rate: int, layout: str) -> None:
    path = loud_clip(tmp_path / "clip.mp4", 12, rate=rate, layout=layout)
    sound = read_layout(path).sound
    with av.open(path) as container:
        context = container.streams.audio[0].codec_context
        assert sound is not None
        assert sound.codec == f"aac {context.profile}" == "aac LC"
        assert (sound.rate, sound.channels) == (rate, context.channels)


def test_parameters_that_are_none_say_nothing() -> None:
    assert read_facts(b"") is None
    assert read_facts(b"\x67\x64") is None
    assert read_facts(b"\x67" + bytes(40)) is None


@given(st.binary(max_size=60))
def test_no_bytes_are_too_odd_to_be_asked(data: bytes) -> None:
    read_facts(b"\x67" + data)
