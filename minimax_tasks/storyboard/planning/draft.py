"""A shot while its board is being planned: each pass fills in what it decides."""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from minimax_tasks.api.catalog.cameras import Move
from minimax_tasks.api.catalog.models import Mode, default_model, find_model_mode
from minimax_tasks.storyboard.board import Board, Shot
from minimax_tasks.storyboard.own.own_clip import OwnClip
from minimax_tasks.storyboard.plan import TEMPLATE_SECONDS, Join, Segment, Source
from minimax_tasks.video.shape import called

_FIRST = Join("")
_OF_FEW = (Mode.SUBJECT, Mode.REFERENCE)
"""Modes that few models have, so that the board's usual model is not meant for them unless it has them."""


@dataclass
class ShotDraft:
    """What is known of a shot before its request exists."""

    index: int
    shot: Shot
    seconds: int | None
    """What the shot or the board's defaults say."""
    usual_model: str | None = None
    """What the board's defaults say."""
    takes: int = 1
    first: Source | None = None
    last: Source | None = None
    references: tuple[Source, ...] = ()
    """The pictures that it takes what it shows from."""
    recordings: tuple[str, ...] = ()
    """Paths or URLs of the videos and sounds that it refers to."""
    usual_ratio: str | None = None
    """What the board says."""
    film_ratio: str | None = None
    """The shape of the film."""
    join: Join = _FIRST
    segments: tuple[Segment, ...] = ()
    lines: int = 0
    """The short side in pixels that is asked for; 0 when that is not known."""
    crop: tuple[int, int] | None = None
    """The shape to which the first frame is cropped, as (width, height)."""
    prompt: str = ""
    written: tuple[str, ...] = ()
    """How the prompt may have been spelled when the clip was paid for."""
    wrong_commands: tuple[str, ...] = ()
    """What is wrong with camera commands in the prompt."""
    camera: tuple[tuple[Move, ...], ...] = ()
    prompt_is_wrong: bool = False
    own: OwnClip | None = None
    """Where its frames come from when it is not generated; None as well for one that cannot be used."""
    warnings: list[str] = field(default_factory=list)

    @property
    def is_card(self) -> bool:
        """Whether it is a title on a card."""
        return "title" in self.shot.own_keys

    @property
    def is_own(self) -> bool:
        """Whether it is not generated."""
        return bool(self.shot.own_keys)

    @property
    def length(self) -> Fraction:
        """Seconds that the clip will have."""
        if self.own is not None:
            return self.own.seconds
        if self.mode is Mode.TEMPLATE:
            return Fraction(TEMPLATE_SECONDS)
        row = find_model_mode(self.model, self.mode) or default_model(self.mode)
        return Fraction(self.seconds or row.default_seconds)

    @property
    def is_framed(self) -> bool:
        """Whether its clip has the shape of a frame."""
        return self.mode in (Mode.IMAGE, Mode.START_END)

    @property
    def is_of_the_board(self) -> bool:
        """Whether the sizes are meant for it that the board has for its usual model."""
        return self.mode not in _OF_FEW or self.model == self.usual_model

    @property
    def model(self) -> str:
        """The model that makes the shot: its own, the board's, or the usual one for its mode; none makes a template's."""
        if self.mode is Mode.TEMPLATE:
            return ""
        usual = self.usual_model
        if usual and self.mode in _OF_FEW and find_model_mode(usual, self.mode) is None:
            usual = None
        return self.shot.model or usual or default_model(self.mode).model

    @property
    def ratio(self) -> str | None:
        """The `ratio` that is asked for: the shot's, or the board's or that of the film where the model takes one."""
        row = find_model_mode(self.model, self.mode)
        ratios = row.ratios if row and not self.is_framed else ()
        usual = self.usual_ratio if ratios else None
        return self.shot.ratio or usual or (self.film_ratio if self.film_ratio in ratios else None)

    @property
    def mode(self) -> Mode:
        """The mode of the API that the shot needs; final once its frames are decided."""
        if self.shot.video_template:
            return Mode.TEMPLATE
        if self.shot.subject:
            return Mode.SUBJECT
        if self.shot.references or self.references:
            return Mode.REFERENCE
        if self.shot.to:
            return Mode.START_END
        return Mode.IMAGE if self.first or self.shot.from_ else Mode.TEXT

    @property
    def ends(self) -> tuple[tuple[str, Source | None], ...]:
        """The first and the last frame, and the pictures that it refers to, by the keys that name them in a board."""
        return ("from", self.first), ("to", self.last), *(("references", one) for one in self.references)


class Drafts(tuple[ShotDraft, ...]):
    """The shots of a board in their order, and by id."""

    @cached_property
    def by_id(self) -> dict[str, ShotDraft]:
        """Id -> shot."""
        return {draft.shot.id: draft for draft in self}

    @property
    def generated(self) -> tuple[ShotDraft, ...]:
        """The shots that are generated."""
        return tuple(draft for draft in self if not draft.is_own)

    @property
    def prompted(self) -> tuple[ShotDraft, ...]:
        """The shots that are generated from a prompt, and not by a template of the service."""
        return tuple(draft for draft in self.generated if draft.mode is not Mode.TEMPLATE)

    def before(self, draft: ShotDraft) -> ShotDraft | None:
        """The shot before one; None for the first."""
        return self[draft.index - 1] if draft.index else None


def begin_drafts(board: Board) -> Drafts:
    """A draft for each shot, with what the board's defaults add to it."""
    defaults = board.defaults
    aspect = board.shape.aspect
    return Drafts(
        ShotDraft(
            index,
            shot,
            defaults.seconds if shot.seconds is None else shot.seconds,
            defaults.model,
            shot.takes or defaults.takes,
            usual_ratio=defaults.ratio or board.ratio,
            film_ratio=called(aspect) if aspect else None,
        )
        for index, shot in enumerate(board.shots)
    )
