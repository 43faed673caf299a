"""What every export is written from: the cut of the picked clips that are made, and where each of them lies."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from minimax_tasks.clips.layout import VIDEO, clip_file
from minimax_tasks.clips.state import ClipStatus, clip_states
from minimax_tasks.errors import VideoError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.naming import film_name
from minimax_tasks.storyboard.damaged import damaged_clips
from minimax_tasks.storyboard.edit import ClipLength, Cut, Edit, make_edit
from minimax_tasks.storyboard.film import length_of
from minimax_tasks.storyboard.own.videos import film_shape, own_videos
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.sounds import local_sound
from minimax_tasks.video.shape import fitted
from minimax_tasks.video.stream_layout import StreamLayout, read_layout

if TYPE_CHECKING:
    from PIL import Image

_SOUNDS = (".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".opus", ".aif", ".aiff")
"""Endings that a copy of a sound keeps."""

_PICTURES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".mxf")
"""Endings that a copy of a clip keeps."""

_NOT_IN_A_URL = re.compile(r"[#?%]")


@dataclass(frozen=True)
class LinkedClip:
    """A clip that is made: its length, the address at which another program finds it, and what is in its file.

    `size` is that of its pictures in pixels as shown, `pixel_aspect` that of its pixels. `channels` and `sound_rate` are
    those of its sound, 0 where it has none.
    """

    length: ClipLength
    url: str
    size: tuple[int, int]
    pixel_aspect: Fraction = Fraction(1)
    channels: int = 0
    sound_rate: int = 0


@dataclass(frozen=True)
class ExportedCut:
    """A plan with the cut of its clips that are made, under a root; `clips` has those by key."""

    root: Storage
    plan: Plan
    edit: Edit
    clips: Mapping[str, LinkedClip]
    size: tuple[int, int]
    """That of the film in pixels."""
    rate: Fraction
    """Its frames per second."""
    relative: bool = False
    """Whether media lie in a folder beside what is written, and are named from there."""

    @property
    def missing(self) -> list[str]:
        """The shots that are not made, or cannot be read, and so are left out."""
        there = {cut.shot for cut in self.edit.cuts}
        return [shot.shot.id for shot in self.plan.shown if shot.shot.id not in there]

    def media_folder(self, out: str) -> Path | None:
        """The folder beside a file in which its media travel; None where they stay where they are."""
        if not self.relative:
            return None
        folder = Path(out).parent / f"{film_name(Path(out).stem)}-media"
        folder.mkdir(exist_ok=True)
        return folder

    def copies(self, folder: Path) -> dict[str, str]:
        """Clip key -> a copy of its file in a folder, under a name that says which shot and take it is."""
        found: dict[str, str] = {}
        for one in self.edit.cuts:
            if one.clip not in found:
                copy = folder / _copy_name(one.shot, one.take, one.clip, self.clips[one.clip].url)
                with self.local(one) as path:
                    shutil.copyfile(path, copy)
                found[one.clip] = str(copy)
        return found

    def sound_copies(self, folder: Path) -> dict[str, str]:
        """Sound as the board names it -> a copy of its file in a folder. Raises `VideoError` for one that is gone."""
        found: dict[str, str] = {}
        for number, name in enumerate(dict.fromkeys(one.name for one in self.edit.sounds), 1):
            ending = PurePath(name).suffix.lower()
            copy = folder / f"sound-{number}{ending if ending in _SOUNDS else '.wav'}"
            path = local_sound(self.plan.sounds[name], copy)
            if path != str(copy):
                shutil.copyfile(path, copy)
            found[name] = str(copy)
        return found

    def other_takes(self, folder: Path | None = None) -> dict[str, LinkedClip]:
        """The takes that are made and not picked, by key; with a `folder`, as copies in that."""
        picked = {shot.key for shot in self.plan.shown}
        segments = {
            segment.key: segment
            for shot in self.plan.shown
            for segment in shot.segments
            if segment.key not in picked
        }
        found = {}
        for key, state in clip_states(self.root, segments).items():
            if state.status is not ClipStatus.MADE:
                continue
            name = clip_file(key, VIDEO)
            found_at = _media_url(self.root.path(name)) if self.root.local else self.root.join(name)
            with self.root.as_local(name) as path:
                try:
                    layout = read_layout(str(path))
                except VideoError:
                    continue
                if folder is not None:
                    found_at = str(folder / _copy_name(segments[key].shot, segments[key].take, key, name))
                    shutil.copyfile(path, found_at)
            found[key] = _linked(layout, found_at)
        return found

    def pictures(self, one: Cut) -> "list[Image.Image]":
        """The first and the last picture of a cut as the film shows them; of a card, which fades, the one in its middle.

        Raises `VideoError`.
        """
        from minimax_tasks.video.frames import frame_at

        last = max(one.source_in, one.source_out - 1 / self.rate)
        is_card = any(title.is_card for title in self.plan.by_id[one.shot].shot.title)
        times = [(one.source_in + last) / 2] if is_card else [one.source_in, last]
        with self.local(one) as path:
            return [self._in_frame(frame_at(path, float(seconds)), one) for seconds in times]

    def _in_frame(self, picture: "Image.Image", one: Cut) -> "Image.Image":
        from minimax_tasks.video.frames import in_frame

        clip, fill = self.clips[one.clip], self.plan.shape.fill
        aspect = clip.pixel_aspect if picture.size == clip.size else Fraction(1)
        fitting = fitted(picture.size, aspect, self.size, fill, one.crop)
        return in_frame(picture, fitting, self.size, blurred=fill == "blur")

    @contextmanager
    def local(self, one: Cut) -> Iterator[str]:
        """The video of a cut as a local path. Raises `VideoError`."""
        own = self.plan.by_id[one.shot].own
        if own is not None:
            with own.file(self.root, self.size, self.rate) as path:
                yield path
        else:
            with self.root.as_local(clip_file(one.clip, VIDEO)) as made:
                yield str(made)


def _copy_name(shot: str, take: int, key: str, address: str) -> str:
    ending = PurePath(address).suffix.lower()
    return f"{film_name(shot)}-{take}-{key[:8]}{ending if ending in _PICTURES else '.mp4'}"


def exported_cut(root: Storage, plan: Plan, *, relative: bool = False) -> ExportedCut:
    """The cut of what is made of a plan, with measured lengths. Whole clips alone are in it."""
    clips, size, rate = _clips(root, plan)
    edit = make_edit(plan, {key: clip.length for key, clip in clips.items()})
    return ExportedCut(root, plan, edit, clips, size, rate, relative)


def _clips(root: Storage, plan: Plan) -> tuple[dict[str, LinkedClip], tuple[int, int], Fraction]:
    """The picked clips that are made and can be read, by key, and the size and rate of their film."""
    keys = list(dict.fromkeys(shot.key for shot in plan.shown if shot.own is None))
    states = clip_states(root, keys)
    found = {}
    with ExitStack() as stack:
        paths: dict[str, str] = {}
        for key in keys:
            if states[key].status is not ClipStatus.MADE:
                continue
            name = clip_file(key, VIDEO)
            path = str(stack.enter_context(root.as_local(name)))
            if damaged_clips({key: path}):
                continue
            try:
                layout = read_layout(path)
            except VideoError:
                continue
            paths[key] = path
            found[key] = _linked(layout, _media_url(root.path(name)) if root.local else root.join(name))
        own = stack.enter_context(own_videos(root, plan, paths))
        size, rate = film_shape(plan, {**paths, **own})
        for shot in plan.shown:
            if shot.own is not None:
                address = shot.own.address(root, size, rate)
                address = address if "://" in address else _media_url(address)
                found[shot.key] = _linked(read_layout(own[shot.key]), address)
    return found, size, rate


def _linked(layout: StreamLayout, url: str) -> LinkedClip:
    sound = layout.sound
    return LinkedClip(
        length_of(layout),
        url,
        layout.size,
        layout.pixel_aspect,
        sound.channels if sound else 0,
        sound.rate if sound else 0,
    )


def _media_url(path: str) -> str:
    """A path as editing programs want it: raw, unless it would be cut off where a URL has its fragment."""
    return Path(path).absolute().as_uri() if _NOT_IN_A_URL.search(path) else path
