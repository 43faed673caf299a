"""What a player and a file manager show of a film that does not play: its title, and a picture as its cover."""

import io
from dataclasses import dataclass
from typing import Any

import av
import av.container
from av.stream import Disposition

WIDTH = 640
"""Pixels. The cover stands in front of the pictures of the film, so it must not be large."""


@dataclass(frozen=True)
class Cover:
    """A JPEG on its way into a film. Its track has to be there before anything is written, the picture comes later."""

    container: av.container.OutputContainer
    packet: "av.Packet[Any]"

    def write(self) -> None:
        """Write the picture."""
        self.container.mux(self.packet)


def add_cover(container: av.container.OutputContainer, picture: bytes) -> Cover:
    """Make room for a JPEG as the cover of a film."""
    with av.open(io.BytesIO(picture), format="jpeg_pipe") as source:
        stream = container.add_stream_from_template(source.streams.video[0])
    stream.disposition = Disposition.attached_pic
    packet: av.Packet[Any] = av.Packet(picture)
    packet.stream = stream
    packet.pts = packet.dts = 0
    return Cover(container, packet)
