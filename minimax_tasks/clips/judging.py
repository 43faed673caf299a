"""Judging clips before any of them is paid for: everything that sending them, or cutting their frames, would refuse."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from minimax_tasks.api.catalog.models import PictureLimits
from minimax_tasks.api.picture_shapes import judge_crop
from minimax_tasks.clips.frames import measured, moment_in
from minimax_tasks.clips.layout import clip_folder, own_frame
from minimax_tasks.clips.pictures import Seen, different_shapes, prepare_picture
from minimax_tasks.clips.request import ClipRequest, FrameOf
from minimax_tasks.errors import PictureError
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage

READERS = 8
"""Pictures that are read at the same time."""

_Item = TypeVar("_Item")


@dataclass
class Judged:
    """What is wrong with clips, and what is doubtful, by the numbers under which they were given."""

    problems: list[tuple[int, PictureError]] = field(default_factory=list)
    doubts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class _Look:
    """A picture of a clip as it would be sent: its size, and what is said about it."""

    width: int
    height: int
    notes: tuple[str, ...] = ()


def judge_clips(root: Storage, clips: Iterable[tuple[int, ClipRequest]], begun: Container[str]) -> Judged:
    """Judge the pictures and frames of clips that were never begun; those of the others were judged then.

    A frame may be of another of these clips, which is not made yet.
    """
    given = list(clips)
    new = [(number, clip) for number, clip in given if clip.request.pictures() and clip.key not in begun]
    # A key is not free to work out, and a table of prompts alone has a hundred thousand of them.
    keys = {clip.key for _, clip in given} if new else frozenset()
    looks = try_each(
        lambda wanted: _look(root, *wanted, keys=keys),
        {one for _, clip in new for one in _wanted(clip)},
    )
    judged = Judged()
    for number, clip in new:
        sizes: dict[str, _Look] = {}
        for wanted, name in zip(_wanted(clip), clip.request.pictures(), strict=True):
            found = looks[wanted]
            if isinstance(found, PictureError):
                own = PictureError(name, found.value, found.allowed, found.why)
                judged.problems.append((number, own))
            elif found is not None:
                sizes[name] = found
                for note in found.notes:
                    judged.doubts[f"{name}: {note}"].append(number)
        _judge_end(number, clip, sizes, judged)
    return judged


def _judge_end(number: int, clip: ClipRequest, looks: dict[str, _Look], judged: Judged) -> None:
    """The last frame is cropped to the shape of the first."""
    first, last = looks.get("first_frame_image"), looks.get("last_frame_image")
    if first is None or last is None:
        return
    own, shape = (last.width, last.height), (first.width, first.height)
    label = shown(clip.request.pictures()["last_frame_image"])
    limits = clip.request.picture_limits
    try:
        if judge_crop(own, shape, field="last_frame_image", name=label, limits=limits) != own:
            judged.doubts[different_shapes(shape, own)].append(number)
    except PictureError as error:
        judged.problems.append((number, error))


def _wanted(clip: ClipRequest) -> list[tuple[str, str, bool, PictureLimits]]:
    """Each picture with its digest ("" for one that is not read here), whether it is made to fit, and its limits."""
    pictures, limits = clip.request.pictures(), clip.request.picture_limits
    return [(ref, clip.digests.get(name, ""), clip.request.fit, limits) for name, ref in pictures.items()]


def _look(
    root: Storage, reference: str, digest: str, fit: bool, limits: PictureLimits, *, keys: Container[str]
) -> _Look | None:
    """A picture as it would be sent; None when that is not known. Raises `PictureError`."""
    if digest:
        sent = prepare_picture(reference, Seen(digest), field="picture", fit=fit, limits=limits)
        return _Look(sent.width, sent.height, sent.notes)
    frame = FrameOf.parse(reference)
    if frame is None:
        return None
    made = measured(root, frame.key)
    if made is None:
        there = frame.key in keys or root.names(clip_folder(frame.key))
        if not there and not root.exists(own_frame(frame.key, frame.place)):
            raise PictureError(
                "picture", reference, "a frame of a clip that is made", "there is no such clip"
            )
        return None
    doubt = moment_in(frame, made.seconds)
    return _Look(made.width, made.height, (doubt,) if doubt else ())


def try_each(look: Callable[[_Item], Any], items: Iterable[_Item]) -> dict[_Item, Any]:
    """What a look at each item gives, or the `PictureError` that it raises; several at a time."""

    def attempt(item: _Item) -> Any:
        try:
            return look(item)
        except PictureError as error:
            return error

    ordered = list(items)
    with ThreadPoolExecutor(READERS) as readers:
        return dict(zip(ordered, readers.map(attempt, ordered), strict=True))
