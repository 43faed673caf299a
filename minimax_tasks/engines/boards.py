"""A board without an engine's words: its plan, its clips as they are asked for, and the film when they are made."""

from dataclasses import dataclass, replace

from minimax_tasks.clips.layout import FILM, FILM_MANIFEST, REPORT
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.state import clip_states
from minimax_tasks.settings import Settings
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.film import FilmMaker, film_folder, film_notes, is_current, take_film_folder
from minimax_tasks.storyboard.plan import Plan, Segment
from minimax_tasks.storyboard.planning.make import make_plan


@dataclass(frozen=True)
class MadeFilm:
    """A film that is on storage: paths, or URLs of the storage."""

    path: str
    report: str
    manifest: str
    usd: float
    """What its clips cost by the price table, without those that have no published price."""
    notes: tuple[str, ...] = ()
    """How the film differs from its clips."""


def plan_board(board: str, settings: Settings) -> Plan:
    """The plan of a board. Raises `BoardError` with everything that is wrong with it; nothing is written."""
    return make_plan(board, root=settings.root, language=settings.bracket_language)


def take_folder(plan: Plan, settings: Settings) -> None:
    """Make the film's folder the board's own, before anything is paid. Raises `BoardError` when it is another's."""
    take_film_folder(Storage(settings.root), plan)


def clip_of(plan: Plan, segment: Segment) -> ClipRequest:
    """A segment as it is asked for, with what it is for."""
    purpose = f"{plan.board.title}, shot {segment.shot}, take {segment.take}"
    return replace(segment.clip, purpose=purpose)


def make_film(plan: Plan, settings: Settings) -> MadeFilm:
    """Join the clips that are made, and write the report; a film that is current is left as it is.

    Raises `FilmIncomplete` when a picked clip is missing and `VideoError` when one cannot be joined.
    """
    root = Storage(settings.root)
    if not is_current(root, plan):
        FilmMaker(root, plan).make()
    folder = film_folder(root, plan)
    states = clip_states(root, [segment.key for segment in plan.segments], tasks=True)
    return MadeFilm(
        path=root.join(f"{folder}/{FILM}"),
        report=root.join(f"{folder}/{REPORT}"),
        manifest=root.join(f"{folder}/{FILM_MANIFEST}"),
        usd=sum(state.usd or 0.0 for state in states.values()),
        notes=tuple(film_notes(root, plan)),
    )
