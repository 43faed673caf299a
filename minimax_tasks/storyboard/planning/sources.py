"""What a board is planned from: its text and its pictures, each read once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from minimax_tasks.api.catalog.models import V1_PICTURES, PictureLimits, picture_limits
from minimax_tasks.clips.judging import try_each
from minimax_tasks.clips.pictures import Seen, see_picture
from minimax_tasks.errors import BoardError, PictureError, UnreadableReference
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import folder_of, next_to, read_text, version_of
from minimax_tasks.storage.versions import Versions, versions_of
from minimax_tasks.storyboard.board import Board, Shot, read_board
from minimax_tasks.storyboard.plan import Source
from minimax_tasks.storyboard.planning.draft import begin_drafts
from minimax_tasks.storyboard.planning.frame_names import is_outside
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.storyboard.planning.stills import Still, read_still

BOARD_LIMIT = 10_000_000
"""Bytes. A thousand shots have about 0.2 MB."""

FRAME_OF_SHOT = re.compile(r"(?P<shot>.+?)(\.(?P<place>first|last)|@(?P<seconds>[0-9]{1,4}(\.[0-9]{1,6})?))")
"""A frame of another shot: `010.last`, `010@2.5`."""

_RECORDING = re.compile(r"\.(?P<kind>mp4|mov|wav|mp3)$", re.IGNORECASE)
_VIDEOS = ("mp4", "mov")

_PATH_LIKE = re.compile(r"[/\\]|\.(png|jpe?g|webp)$|^[a-z0-9+]+:", re.IGNORECASE)


@dataclass(frozen=True)
class Material:
    """A board, where its clips are kept, and every picture that its shots name."""

    path: str
    board: Board
    root: Storage
    language: str
    """The language of the camera brackets, "en" or "zh"."""
    pictures: Mapping[str, str]
    """What shots name and is a picture -> its path or URL."""
    stills: Mapping[str, Still | PictureError]
    """Path or URL -> the picture, or why it cannot be used."""
    templates: Path | None
    """The folder of the board's own templates, if it has any."""
    versions: Versions
    """The versions of the board and of all files that it is planned from."""
    outside: Mapping[str, Source] = field(default_factory=dict)
    """What shots name and is a frame from outside the board -> that frame."""

    def still(self, wanted: str) -> Still | None:
        """The picture that a shot names, if it can be used."""
        found = self.stills.get(self.pictures.get(wanted, ""))
        return found if isinstance(found, Still) else None

    def look(self, reference: str, field: str) -> Seen:
        """A picture as it was read for this plan. Raises `PictureError` for one that is gone."""
        still = self.stills.get(reference)
        if not isinstance(still, Still) or still.seen is None:
            return see_picture(reference, field)
        if still.gone is not None:
            raise PictureError(field, still.gone.value, still.gone.allowed, still.gone.why)
        return still.seen


def gather(path: str, root: Storage, language: str) -> tuple[Material, BoardProblems]:
    """Read a board and its pictures. Raises `BoardError` when so much is wrong that nothing is left to plan."""
    version = version_of(path)  # asked before it is read: what changes meanwhile has another
    try:
        text = read_text(path, BOARD_LIMIT, "the storyboard file")
    except UnreadableReference as error:
        raise BoardError([f"{shown(path)}: {error}"]) from None
    board, document, found = read_board(text)
    problems = BoardProblems(path, document, found)
    if board is None:
        raise BoardError(problems.lines())
    folder = folder_of(path)
    templates = versions_of(_template_files(folder))
    pictures = _pictures(board, folder)
    names = {reference: name for name, reference in reversed(pictures.items())}
    own_limits = _limits(board, pictures)
    stills = try_each(
        lambda reference: read_still(
            reference, names[reference], root, fit=board.defaults.fit, limits=own_limits[reference]
        ),
        names,
    )
    read = {
        reference: still.version
        for reference, still in stills.items()
        if isinstance(still, Still) and still.seen is not None
    }
    material = Material(
        path,
        board,
        root,
        board.language or language,
        pictures,
        stills,
        _own_templates(folder),
        Versions(path, version, templates | read),
    )
    return material, problems


def is_recording(reference: str) -> bool:
    """Whether what a shot refers to is a video or a sound, by the end of its name."""
    return _RECORDING.search(reference.partition("?")[0]) is not None


def is_video(reference: str) -> bool:
    """Whether a recording is a video."""
    found = _RECORDING.search(reference.partition("?")[0])
    return found is not None and found["kind"].lower() in _VIDEOS


def is_path_like(name: str) -> bool:
    """Whether a name that is none of `frames` can be a path or a URL."""
    return _PATH_LIKE.search(name) is not None


def named_pictures(shot: Shot) -> Iterator[tuple[str, str]]:
    """What a shot names where a picture can stand, with the key: `("to", "pier")`."""
    yield from (("references", name) for name in shot.references if not is_recording(name))
    if shot.video_template and shot.video_template.image:
        yield "video_template", shot.video_template.image
    if shot.to:
        yield "to", shot.to
    if shot.subject:
        yield "subject", shot.subject
    elif shot.from_:
        yield "from", shot.from_


def _limits(board: Board, pictures: Mapping[str, str]) -> dict[str, PictureLimits]:
    """Path or URL -> what the models take that are asked for it; where those differ, the strictest."""
    models: dict[str, set[str | None]] = {}
    for draft in begin_drafts(board):
        shot = draft.shot
        cast = (
            name for member in shot.characters if member in board.cast for name in board.cast[member].pictures
        )
        for name in (*(name for _, name in named_pictures(shot)), *cast):
            if name in pictures:
                models.setdefault(pictures[name], set()).add(draft.model)
    found = {}
    for reference in pictures.values():
        limits = {picture_limits(model) for model in models.get(reference, {None})}
        found[reference] = limits.pop() if len(limits) == 1 else V1_PICTURES
    return found


def _own_templates(folder: str) -> Path | None:
    """`prompt_templates/` next to the board."""
    own = Path(folder) / "prompt_templates"
    return own if "://" not in folder and own.is_dir() else None


def _template_files(folder: str) -> list[str]:
    """The folder of a board's own templates, whether there is one or not, and all that is in it."""
    own = Path(folder) / "prompt_templates"
    return [] if "://" in folder else [str(own), *map(str, own.rglob("*"))]


def _pictures(board: Board, folder: str) -> dict[str, str]:
    """What shots name and is a picture -> its path or URL."""
    ids = {shot.id for shot in board.shots}
    pictures = {}
    named = (wanted for shot in board.shots for _, wanted in named_pictures(shot))
    of_cast = (name for member in board.cast.values() for name in member.pictures)
    for name in dict.fromkeys((*named, *of_cast)):
        found = FRAME_OF_SHOT.fullmatch(name)
        if is_outside(board.files.get(name, name)):
            continue
        if name in board.files:
            pictures[name] = next_to(folder, board.files[name])
        elif not (found and found["shot"] in ids) and is_path_like(name):
            pictures[name] = next_to(folder, name)
    return pictures
