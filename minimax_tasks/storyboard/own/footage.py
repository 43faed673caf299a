"""Own footage: a video file that the film shows as it is."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from minimax_tasks.errors import UnreadableReference, VideoError
from minimax_tasks.redaction import shown
from minimax_tasks.storage import references
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.temporary import temporary_folder
from minimax_tasks.storyboard.own.own_clip import OwnClip, own_key
from minimax_tasks.video.shape import Size

if TYPE_CHECKING:
    from PIL import Image

FILE_LIMIT = 2_000_000_000
"""Bytes of a file of footage."""

MOST_SECONDS = 600
MOST_PIXELS = 8192
"""Of a side."""

_BLOCK = 1 << 20

_seen_before: dict[tuple[str, str], "Footage"] = {}
"""Reference and version of a file -> the footage in it."""


@dataclass(frozen=True)
class Footage(OwnClip):
    """A video file: its path or URL, its size as it is shown, and its version when it was read.

    The key is made from its bytes alone: a file that was moved is the same footage.
    """

    KIND: ClassVar[str] = "footage"

    size: Size = (0, 0)

    @property
    def shape(self) -> Size | None:
        """Its size as it is shown."""
        return self.size

    def frame(self, place: str) -> "Image.Image":
        """The picture at a place. Raises `VideoError`."""
        from minimax_tasks.video.frames import first_frame, frame_at, last_frame

        with self.local() as path:
            if place == "first":
                return first_frame(path)
            return last_frame(path) if place == "last" else frame_at(path, float(place))

    @contextmanager
    def file(self, root: Storage, size: Size, fps: Fraction) -> Iterator[str]:
        """The file, whatever the film is: joining brings it to the film's size and rate."""
        with self.local() as path:
            yield path

    def address(self, root: Storage, size: Size, fps: Fraction) -> str:
        """The file itself."""
        return references.local_path(self.reference) or self.reference

    @contextmanager
    def local(self) -> Iterator[str]:
        """The file as a local path. Raises `VideoError` when it is gone, or is not what was planned."""
        version = references.version_of(self.reference)
        here = references.local_path(self.reference)
        if here is not None and version is not None and version == self.read_version:
            yield here
            return
        with ExitStack() as stack:
            try:
                path, digest = stack.enter_context(_fetched(self.reference))
            except UnreadableReference as error:
                raise VideoError(f"the footage {shown(self.reference)}: {error}") from None
            if digest != self.digest:
                raise VideoError(f"the footage {shown(self.reference)} has changed; run it again")
            yield path


def read_footage(reference: str, label: str) -> Footage:
    """Read and judge a file of footage, by its bytes. Raises `UnreadableReference` or `VideoError`."""
    if references.kind_of(reference) not in (references.Kind.LOCAL, references.Kind.STORED):
        raise UnreadableReference("it is on the web, from where nothing is fetched; give a file")
    version = references.version_of(reference)  # asked before it is read: what changes meanwhile has another
    if version and (reference, version) in _seen_before:
        return _seen_before[reference, version]
    with _fetched(reference) as (path, digest):
        size, seconds = _judge(path)
    footage = Footage(
        own_key("footage", sha256=digest),
        label,
        seconds,
        size,
        reference=reference,
        digest=digest,
        read_version=version,
    )
    if version:
        _seen_before[reference, version] = footage
    return footage


def _judge(path: str) -> tuple[Size, Fraction]:
    """The size, as it is shown, and the length of a video. Raises `VideoError` for one that cannot be in a film."""
    from minimax_tasks.video.probe import probe
    from minimax_tasks.video.stream_layout import read_layout

    header = probe(path, "header")
    if not header.codec:
        raise VideoError("; ".join(header.problems))
    if max(header.width, header.height) > MOST_PIXELS:
        raise VideoError(
            f"its pictures are {header.width} x {header.height} px; allowed: sides of at most {MOST_PIXELS:,} px"
        )
    if header.seconds > MOST_SECONDS:
        raise VideoError(f"it has {header.seconds:,.0f} s; allowed: at most {MOST_SECONDS} s")
    facts = probe(path, "keyframes")
    if not facts.is_whole:
        wrong = [problem for problem in facts.problems if problem not in facts.unexpected]
        raise VideoError("; ".join(wrong) or "there is no picture in it")
    if facts.seconds > MOST_SECONDS:
        raise VideoError(f"it has {facts.seconds:,.0f} s; allowed: at most {MOST_SECONDS} s")
    layout = read_layout(path)
    if layout.frames < 2:
        raise VideoError("there is one picture in it; write `still` for that")
    wide, high = layout.size
    aspect = layout.pixel_aspect
    return (round(wide * aspect), high), layout.seconds


@contextmanager
def _fetched(reference: str) -> Iterator[tuple[str, str]]:
    """A local path with the bytes of a file, and their SHA-256. Raises `UnreadableReference`, `VideoError`."""
    here = references.local_path(reference)
    with references.opened(reference, FILE_LIMIT) as file:
        digest = hashlib.sha256()
        if here is not None:
            while block := file.read(_BLOCK):
                digest.update(block)
            yield here, digest.hexdigest()
            return
        with temporary_folder() as folder:
            copy = folder / "footage"
            with copy.open("wb") as out:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    out.write(block)
            yield str(copy), digest.hexdigest()
