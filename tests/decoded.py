"""The pictures of a film, as FFmpeg shows them."""

from collections.abc import Iterator
from pathlib import Path

import av
from av.video.reformatter import VideoReformatter
from PIL import Image


def pictures_in(film: Path | str) -> Iterator[Image.Image]:
    """Every picture in the order in which they are shown.

    One conversion is set up for all of them: to set up one for each, as `to_image` alone does, takes longer than to decode.
    """
    reformatter = VideoReformatter()
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            yield reformatter.reformat(frame, format="rgb24", threads=1).to_image()
