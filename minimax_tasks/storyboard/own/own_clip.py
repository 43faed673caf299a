"""A shot that is not generated: a source of frames with a length of its own. It has no request and costs nothing.

`Footage` is a file as it is. What is drawn here extends `DrawnClip`: it says which picture is seen at which moment,
and is drawn once for each size and rate of a film.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from minimax_tasks.clips.layout import own_file, own_frame
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.temporary import temporary_folder
from minimax_tasks.video.rates import DEFAULT_FPS, nearest
from minimax_tasks.video.shape import Size, with_lines

if TYPE_CHECKING:
    from PIL import Image

WIDE: Size = (16, 9)
"""The shape of a film whose shape is not known from anything else."""

FRAME_LINES = 1080
"""The short side, in pixels, of a frame of a drawn shot that another shot starts from."""

_OPTIONS = {"preset": "veryfast", "crf": "16"}
"""It is encoded once more in the film: good enough that nobody sees it."""


@dataclass(frozen=True)
class FrameSource(ABC):
    """What has frames and is not generated. `key` is 32 hex digits of all that decides them, `label` is for people."""

    KIND: ClassVar[str] = ""
    """What it is, for people: `footage`, `still`."""

    key: str
    label: str
    reference: str = field(default="", kw_only=True)
    """The path or URL of the file that it comes from, if there is one."""
    digest: str = field(default="", kw_only=True)
    """The SHA-256 of that file."""
    read_version: str | None = field(default=None, kw_only=True)
    """The version of that file when it was read."""

    @property
    @abstractmethod
    def shape(self) -> Size | None:
        """Its width and height; None where it takes the shape of the film."""

    @abstractmethod
    def frame(self, place: str) -> "Image.Image":
        """The picture at `first`, `last` or so many seconds. Raises `VideoError`."""

    @property
    def version(self) -> tuple[str, str | None] | None:
        """The file that it comes from, with its version when it was read."""
        return (self.reference, self.read_version) if self.reference else None

    @property
    def frame_size(self) -> Size:
        """The size of a frame that another shot starts from."""
        return self.shape or (0, 0)

    def keep_frame(self, root: Storage, place: str) -> None:
        """Write the picture at a place under the root, where the clips that start from it find it."""
        from minimax_tasks.video.frames import png

        name = own_frame(self.key, place)
        if not root.exists(name):
            root.create(name, png(self.frame(place)))


@dataclass(frozen=True)
class OwnClip(FrameSource):
    """A source of frames that can be a shot: it has a length."""

    seconds: Fraction

    @abstractmethod
    @contextmanager
    def file(self, root: Storage, size: Size, fps: Fraction) -> Iterator[str]:
        """Its video, as a local path, for a film of this size and rate. Raises `VideoError`."""
        yield ""

    @abstractmethod
    def address(self, root: Storage, size: Size, fps: Fraction) -> str:
        """Where its video lies for as long as the film: a path or a URL."""


@dataclass(frozen=True)
class DrawnClip(OwnClip):
    """Frames that are drawn here, for a film of the shape `film_shape`."""

    film_shape: Size = WIDE

    def of_shape(self, shape: Size) -> Self:
        """The same for a film of another shape, in whole numbers such as 9 and 16: other pictures, and another key."""
        if shape == self.film_shape:
            return self
        return replace(self, film_shape=shape, key=own_key(self.KIND, of=self.key, shape=list(shape)))

    @property
    def frame_size(self) -> Size:
        """The film's shape at 1080 lines."""
        return with_lines(self.film_shape, FRAME_LINES)

    @abstractmethod
    def pictures(self, size: Size, frames: int) -> "Iterator[Image.Image]":
        """Every picture of it at this size, in even pixels, when it has this many."""

    @property
    def shape(self) -> Size | None:
        """None: it fills the film, whatever its shape."""
        return None

    def frame(self, place: str) -> "Image.Image":
        """The picture at a place, at 1080 lines."""
        count = max(1, nearest(self.seconds * DEFAULT_FPS))
        number = {"first": 0, "last": count - 1}.get(place)
        if number is None:
            number = min(count - 1, int(Fraction(place) * DEFAULT_FPS))
        return self.picture(self.frame_size, number, count)

    def picture(self, size: Size, number: int, frames: int) -> "Image.Image":
        """The picture with this number, from 0."""
        for at, image in enumerate(self.pictures(size, frames)):
            if at == number:
                return image
        raise ValueError(f"there is no picture {number} of {frames}")

    @contextmanager
    def file(self, root: Storage, size: Size, fps: Fraction) -> Iterator[str]:
        """Its video, drawn unless it was drawn at this size and rate before."""
        name = self._name(size, fps)
        if not root.exists(name):
            with temporary_folder() as folder:
                self._draw(folder / "drawn.mp4", size, fps)
                root.put(folder / "drawn.mp4", name)
        with root.as_local(name) as path:
            yield str(path)

    def address(self, root: Storage, size: Size, fps: Fraction) -> str:
        """Where the drawn video lies."""
        name = self._name(size, fps)
        return root.path(name) if root.local else root.join(name)

    def _name(self, size: Size, fps: Fraction) -> str:
        rate = f"{fps.numerator}" if fps.denominator == 1 else f"{fps.numerator}-{fps.denominator}"
        return own_file(self.key, f"{size[0]}x{size[1]}-{rate}.mp4")

    def _draw(self, path: Path, size: Size, fps: Fraction) -> None:
        from minimax_tasks.video.colour import frame_of
        from minimax_tasks.video.encode import h264_mp4

        with h264_mp4(str(path), size, fps, _OPTIONS) as out:
            for image in self.pictures(size, max(1, nearest(self.seconds * fps))):
                out.write(frame_of(image))


def own_key(kind: str, **facts: object) -> str:
    """The key of an own clip, from all that decides its pictures."""
    text = json.dumps({"own": kind, **facts}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
