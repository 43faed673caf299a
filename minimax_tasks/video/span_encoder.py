"""Encoding a part of a film so that it can stand between packets that are copied."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from minimax_tasks.errors import VideoError
from minimax_tasks.video.film_frames import FilmFrame
from minimax_tasks.video.h264 import (
    PROFILES,
    ParameterSets,
    in_lengths,
    read_parameter_sets,
    sets_of_encoder,
)
from minimax_tasks.video.stream_layout import StreamLayout

_GLOBAL_HEADER = 1 << 22
"""FFmpeg's flag for parameter sets in front of a file, and not in its packets."""


class SpanEncoder:
    """Encodes parts of a film like the clip `model`, whose packets stand around them."""

    def __init__(self, model: StreamLayout, options: dict[str, str]) -> None:
        """`options` are those of the encoder: crf, preset, …"""
        sets = read_parameter_sets(model.parameters)
        if sets is None or (number := sets.free_number()) is None:
            raise VideoError(f"{model.name}: its packets cannot stand beside others")
        self._model, self._options = (
            model,
            {**options, **_fitting(model, sets), "x264-params": f"sps-id={number}"},
        )
        self._ready: VideoCodecContext | None = self._opened()
        self.parameters = sets.having(sets_of_encoder(bytes(self._ready.extradata or b""))).to_bytes()
        """The parameter sets of a track that has both."""
        self._length_size = sets.length_size

    def packets(self, frames: Iterable[FilmFrame], begins: int) -> "Iterator[av.Packet[Any]]":
        """The packets of a part that begins with frame `begins` of the film; times are ticks of the model."""
        encoder, self._ready = self._ready or self._opened(), None
        model = self._model
        for done, packet in enumerate(_encoded(encoder, frames, model.fps)):
            shown = packet.pts or 0
            if shown + model.delay < done:
                raise VideoError(
                    f"the film: a picture would be shown before it is decoded, at frame {begins + shown}"
                )
            # Packets follow each other like those of the model, whatever the delay of the encoder is.
            out: av.Packet[Any] = av.Packet(in_lengths(bytes(packet), self._length_size))
            out.pts = (begins + shown) * model.tick
            out.dts = (begins + done) * model.tick + model.lead
            out.duration = model.tick
            out.time_base = model.time_base
            out.is_keyframe = packet.is_keyframe
            yield out

    def _opened(self) -> VideoCodecContext:
        encoder = VideoCodecContext.create("libx264", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height = self._model.size
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = 1 / self._model.fps
        encoder.framerate = self._model.fps
        encoder.options = dict(self._options)
        encoder.flags |= _GLOBAL_HEADER
        (
            encoder.color_range,
            encoder.colorspace,
            encoder.color_primaries,
            encoder.color_trc,
        ) = self._model.colours
        encoder.open()
        return encoder


def _fitting(model: StreamLayout, sets: ParameterSets) -> dict[str, str]:
    """The options without which packets would not fit between those of a clip."""
    if model.delay == 0 or sets.profile not in PROFILES or PROFILES[sets.profile] == "baseline":
        order = {"bf": "0"}
    else:
        order = {"x264opts": "b-pyramid=none"} if model.delay == 1 else {}
    return {"profile": PROFILES[sets.profile], **order}


def _encoded(
    encoder: VideoCodecContext, frames: Iterable[FilmFrame], fps: Fraction
) -> "Iterator[av.Packet[Any]]":
    for number, frame in enumerate(frames):
        picture = frame.picture
        picture.pts, picture.time_base, picture.duration = number, 1 / fps, 1
        # A decoded frame remembers what type it was, and the encoder would keep to that.
        picture.pict_type = PictureType.I if frame.begins else PictureType.NONE
        yield from encoder.encode(picture)
    yield from encoder.encode(None)
