"""The crop of a still is one decision: made here, before it is sent, and the same wherever the still is used."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from minimax_tasks.clips.pictures import has_bytes
from minimax_tasks.errors import PictureError
from minimax_tasks.redaction import shown
from minimax_tasks.storyboard.own.cropped_still import CroppedStill, crop_still
from minimax_tasks.storyboard.plan import Source
from minimax_tasks.storyboard.planning.draft import Drafts, ShotDraft
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.video.shape import Crop, called, is_alike


@dataclass
class StillCrops:
    """The stills of a board that are cropped to the film's `aspect`, or to what the board keeps of them."""

    aspect: Fraction | None
    _found: dict[tuple[str, Crop, bool], CroppedStill | None] = field(default_factory=dict)
    _used: dict[str, list[str]] = field(default_factory=dict)
    """What is said about a still, with the shots that use it."""

    def decide(self, drafts: Drafts, problems: BoardProblems) -> None:
        """Put what is kept of each still in its place. A picture that is referred to keeps its own shape."""
        for draft in drafts.generated:
            draft.first = self._cropped(draft, "from", draft.first, self.aspect, problems)
            draft.last = self._cropped(draft, "to", draft.last, self.aspect, problems)
            draft.references = tuple(
                filter(
                    None,
                    (self._cropped(draft, "references", one, None, problems) for one in draft.references),
                )
            )

    def warnings(self) -> Iterator[str]:
        """What is lost, or cannot be cropped, a line for each still."""
        for said, shots in self._used.items():
            yield f"{said} ({', '.join(dict.fromkeys(shots))})"

    def _cropped(
        self,
        draft: ShotDraft,
        key: str,
        source: Source | None,
        aspect: Fraction | None,
        problems: BoardProblems,
    ) -> Source | None:
        still = source.still if source else None
        if source is None or still is None or still.gone:
            return source
        if not has_bytes(still.reference):
            if aspect is not None or not source.crop.is_whole:
                wish = f" to {called(aspect)}" if aspect is not None else ""
                self._say(draft, f"still {shown(still.name)} stays on the web and is not cropped{wish}")
            return source
        has_shape = aspect is None or is_alike(Fraction(still.width, still.height), aspect)
        if source.crop.is_whole and has_shape:
            return source
        wanted = (still.reference, source.crop, aspect is None)
        if wanted not in self._found:
            try:
                self._found[wanted] = crop_still(still.reference, source.label, source.crop, aspect)
            except PictureError as error:
                problems.wrong(draft, key, f"{key} = {source.full}: {error.why}; allowed: {error.allowed}")
                self._found[wanted] = None
        own = self._found[wanted]
        if own is None:
            return source
        shape = called(Fraction(*own.shape))
        self._say(draft, f"still {still.name} is cropped to {shape}: {own.lost:.0%} of it is lost")
        return replace(source, still=None, own=own, place="first")

    def _say(self, draft: ShotDraft, said: str) -> None:
        self._used.setdefault(said, []).append(draft.shot.id)
