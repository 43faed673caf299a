"""A board with everything decided: which clips are made from what, and how they join into a film."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from minimax_tasks.api.catalog.cameras import Move
from minimax_tasks.api.requests import AnyRequest, TemplateRequest
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.storage.naming import film_name, former_film_name
from minimax_tasks.storage.versions import Versions
from minimax_tasks.storyboard.board import Board, Shot
from minimax_tasks.storyboard.board_picture import read_aspect
from minimax_tasks.storyboard.own.own_clip import FrameSource, OwnClip
from minimax_tasks.storyboard.planning.stills import Still
from minimax_tasks.video.shape import CENTRE, Crop, Shape, Size

OWN = "own"
"""The mode of a shot that is not generated."""


@dataclass(frozen=True)
class Source:
    """Where a first or last frame comes from: a still, or a frame of another shot."""

    label: str
    still: Still | None = None
    shot: str = ""
    place: str = "last"
    file: str = ""
    end_of: str = ""
    """The shot that ends on this same picture, so that it is cropped here as it is there."""
    crop: Crop = CENTRE
    """What is kept of the still where another shape is wanted."""
    own: FrameSource | None = None
    """What is not generated and has this frame: footage, or a shot that is drawn."""
    clip: str = ""
    """The key of a clip that is no shot of this board and has this frame."""
    size: tuple[int, int] | None = None
    """The size of that clip's frames in pixels, where that is known."""

    @property
    def is_taken(self) -> bool:
        """Whether it is a frame that is taken out of a video."""
        return bool(self.shot or self.own or self.clip)

    @property
    def full(self) -> str:
        """The label with the still's file."""
        return f"{self.label} ({self.file})" if self.file else self.label


TEMPLATE_SECONDS = 6
"""How long a clip of a video template is taken to be until it is made: the service does not say."""


@dataclass(frozen=True)
class Asked:
    """What a clip is asked to be. `model` is that or the video template; one of a template is asked for no size.

    `is_approximate`: the clip that is made is of another length as a matter of course.
    """

    model: str
    resolution: str
    seconds: int
    prompt_optimizer: bool | None = None
    is_approximate: bool = False


@dataclass(frozen=True)
class Segment:
    """One clip to make: a take of a shot."""

    shot: str
    take: int
    clip: ClipRequest
    after: tuple["Segment", ...] = ()
    """The picked segments of the shots whose frames this one is made from."""

    @property
    def key(self) -> str:
        """The clip's key."""
        return self.clip.key

    @property
    def request(self) -> AnyRequest:
        """The API request."""
        return self.clip.request

    @property
    def asked(self) -> Asked:
        """What is asked for."""
        request = self.clip.request
        if isinstance(request, TemplateRequest):
            return Asked(request.label, "", TEMPLATE_SECONDS, is_approximate=True)
        resolution, seconds = request.size
        longer = bool(request.model_mode.longer_by)
        return Asked(request.model, resolution, seconds, request.prompt_optimizer, longer)


@dataclass(frozen=True)
class Join:
    """How a shot follows the one before: "" for the first, "continues", "cut", or a transition."""

    kind: str
    seconds: float = 0.0
    repeats_frame: bool = False
    """Its first frame shows what the last frame before it shows."""

    @property
    def label(self) -> str:
        """For people: `fade 0.5 s`."""
        return f"{self.kind} {self.seconds:g} s" if self.seconds else self.kind


@dataclass(frozen=True)
class SoundFile:
    """A file that is heard in the film: its path or URL, the SHA-256 of what is in it, its length in seconds.

    `version` is that of the file when it was read, None where that cannot be told.
    """

    reference: str
    digest: str
    seconds: float
    version: str | None = None


@dataclass(frozen=True)
class PlannedShot:
    """A shot with everything decided."""

    shot: Shot
    line: int
    segments: tuple[Segment, ...]
    join: Join
    prompt: str
    camera: tuple[tuple[Move, ...], ...]
    first: Source | None
    last: Source | None
    warnings: tuple[str, ...]
    references: tuple[Source, ...] = ()
    own: OwnClip | None = None
    """Where its frames come from when it is not generated; it has no segments then."""
    shape: Size | None = None
    """The shape of its clip as width and height, as far as it is known before the clip is made."""

    @property
    def picked(self) -> Segment:
        """The take that goes into the film, of a shot that is generated."""
        return self.segments[self.shot.pick - 1]

    @property
    def key(self) -> str:
        """The key of the clip that goes into the film."""
        return self.own.key if self.own else self.picked.key

    @property
    def take(self) -> int:
        """The number of the take that goes into the film."""
        return 1 if self.own else self.picked.take

    @property
    def keys(self) -> list[str]:
        """The keys of all its takes."""
        return [self.own.key] if self.own else [segment.key for segment in self.segments]

    @property
    def seconds(self) -> Fraction:
        """How long its clip is, or is asked to be."""
        return self.own.seconds if self.own else Fraction(self.picked.asked.seconds)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The frames and pictures that it is made from."""
        return (*filter(None, (self.first, self.last)), *self.references)


@dataclass(frozen=True)
class Plan:
    """A board ready to be made."""

    path: str
    board: Board
    shots: tuple[PlannedShot, ...]
    warnings: tuple[str, ...]
    name: str = ""
    """Name of the film's folder, in place of the title."""
    aspect: str = ""
    """The shape of the film, in place of the board's."""
    of_shape: tuple[str, ...] = ()
    """Which of the warnings speak of the film's shape."""
    captioned: str | None = None
    """The language whose captions are burnt into a second film, "" for the first of the board; None for no such film."""
    sounds: Mapping[str, SoundFile] = field(default_factory=dict)
    """File as the board names it -> the sound in it."""
    versions: Versions | None = field(default=None, compare=False)
    """The versions of the files that it was made from."""

    @property
    def slug(self) -> str:
        """The name, or else the title, as a folder's name; behind it what makes it another film: its shape, captions."""
        return film_name(self._called)

    @property
    def former_slug(self) -> str:
        """`slug` by the rule before."""
        return former_film_name(self._called)

    @property
    def _called(self) -> str:
        called = self.name or self.board.title
        shape = self.aspect.replace(":", "x")
        captions = "" if self.captioned is None else f"captions {self.captioned}".rstrip()
        return " ".join(filter(None, (called, shape, captions)))

    @property
    def burnt(self) -> str | None:
        """The language whose captions are burnt into the film, "" for the first of the board; None for none."""
        own = self.board.captions
        return self.captioned if self.captioned is not None or own is None else own.burn

    @property
    def shape(self) -> Shape:
        """The shape that the film is asked to have. Clips are cut to one that is not the board's, unless it says how."""
        own = self.board.shape
        if not self.aspect:
            return own
        fill = self.board.picture.fill if self.board.picture else None
        return replace(own, aspect=read_aspect(self.aspect), size=None, fill=fill or "crop")

    @property
    def shown(self) -> tuple[PlannedShot, ...]:
        """The shots that the film shows: all but those that the board skips."""
        return tuple(shot for shot in self.shots if not shot.shot.skip)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Every clip that is generated, in order of shots and takes: of skipped shots only what others are made from."""
        needed: set[str] = set()
        coming = [segment for shot in self.shown for segment in shot.segments]
        while coming:
            segment = coming.pop()
            if segment.key not in needed:
                needed.add(segment.key)
                coming += segment.after
        return tuple(segment for shot in self.shots for segment in shot.segments if segment.key in needed)

    @property
    def own_frames(self) -> tuple[tuple[FrameSource, str], ...]:
        """The frames of own clips that clips start from or end on, each with its place."""
        needed = {segment.key for segment in self.segments}
        found: dict[tuple[str, str], tuple[FrameSource, str]] = {}
        for shot in self.shots:
            if not needed.isdisjoint(shot.keys):
                for source in shot.sources:
                    if source.own is not None:
                        found[source.own.key, source.place] = (source.own, source.place)
        return tuple(found.values())

    @cached_property
    def by_id(self) -> dict[str, PlannedShot]:
        """Id -> shot."""
        return {shot.shot.id: shot for shot in self.shots}

    @property
    def film(self) -> dict[str, object]:
        """What defines the film: two boards with the same value make the same film and report.

        A key of a board, its defaults or a shot is in here unless planning makes clips or joins of it.
        """
        defaults = self.board.defaults.film_values
        return {
            "look": self.board.look,
            **({"aspect": self.aspect} if self.aspect else {}),
            **({} if self.captioned is None else {"burnt_captions": self.captioned}),
            **self.board.film_values,
            **({"defaults": defaults} if defaults else {}),
            **(
                {"sounds": {name: sound.digest for name, sound in self.sounds.items()}} if self.sounds else {}
            ),
            "shots": [
                {
                    # As manifests have them, whose films would be joined again otherwise.
                    "dialogue": None,
                    "notes": None,
                    **shot.shot.film_values,
                    **({"action": shot.shot.action} if shot.own and shot.shot.action else {}),
                    "clip": shot.key,
                    "takes": shot.keys,
                    "join": [shot.join.kind, shot.join.seconds, shot.join.repeats_frame],
                }
                for shot in self.shots
            ],
        }

    @property
    def digest(self) -> str:
        """`film` as 32 hex digits."""
        text = json.dumps(self.film, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:32]
