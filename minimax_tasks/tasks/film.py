"""The Luigi tasks that render a storyboard: three stages for each segment, and the film."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import luigi

from minimax_tasks.clips.layout import FILM, FILM_MANIFEST, REPORT
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.errors import BoardError
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.delivery import delivered
from minimax_tasks.storyboard.film import (
    FilmMaker,
    check_film_is_own,
    film_folder,
    film_notes,
    is_current,
    take_film_folder,
)
from minimax_tasks.storyboard.plan import Plan, Segment
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.tasks.heard import announced
from minimax_tasks.tasks.inputs import is_there, path_of
from minimax_tasks.tasks.naming import NamedTask, file_words, task_words
from minimax_tasks.tasks.owner import OwnerParameter
from minimax_tasks.tasks.page import has_page, link_to_file, show
from minimax_tasks.tasks.parameters import ReferenceParameter, RootParameter
from minimax_tasks.tasks.run import Run, current_run, run_alone
from minimax_tasks.tasks.stages import Download, Poll, Stage, Submit
from minimax_tasks.tasks.target import FsspecTarget
from minimax_tasks.tasks.work import Work, is_handed_over

log = logging.getLogger(__name__)


def plan_board(storyboard: str, root: str) -> Plan:
    """The plan of a board in this run; its segments are known to the tasks of the run from then on."""
    run = current_run()
    language = run.settings().bracket_language

    def make() -> Plan:
        plan = make_plan(storyboard, root=root, language=language)
        _learn(run, plan)
        return plan

    return run.boards.get((storyboard, Storage(root).url, language), make)


def hand_on(plan: Plan, root: str, run: Run) -> None:
    """Let the tasks of a run work on a plan that is made already."""
    run.boards.hand_on((plan.path, Storage(root).url, run.settings().bracket_language), plan)
    _learn(run, plan)


def _learn(run: Run, plan: Plan) -> None:
    run.segments.update({segment.key: (segment, plan.board.title) for segment in plan.segments})


class _OfSegment(Stage):
    """A stage of one take of one shot. `shot` and `take` are for people; `key` says which clip it is."""

    storyboard = ReferenceParameter(description="the board file")
    shot = luigi.Parameter()
    take = luigi.IntParameter()
    clip_key = luigi.Parameter(description="what the segment was when the run was planned")
    owner = OwnerParameter()

    @property
    def key(self) -> str:
        """The clip's key."""
        return str(self.clip_key)

    @property
    def _words(self) -> str:
        take = f" · take {self.take}" if self.take != 1 else ""
        return f"{file_words(self.storyboard)} · shot {self.shot}{take}"

    @property
    def _digits(self) -> str:
        return self.key

    @property
    def segment(self) -> Segment:
        """The segment of the board. Raises `BoardError` when the board no longer has it."""
        return self._found[0]

    @property
    def _found(self) -> tuple[Segment, str]:
        known = current_run().segments
        if self.clip_key not in known:
            plan_board(self.storyboard, self.root)
        if self.clip_key not in known:
            changed = f"{shown(self.storyboard)}: shot {self.shot} was changed since this run was planned; run it again"
            raise BoardError([changed])
        return known[self.clip_key]

    @property
    def clip(self) -> ClipRequest:
        """The clip that the segment is."""
        segment, title = self._found
        return replace(segment.clip, purpose=f"{title}, shot {self.shot}, take {self.take}")

    @property
    def same(self) -> dict[str, Any]:
        """The parameters, for the other stages of the segment."""
        return self.param_kwargs | {"owner": self.first_owner}


class SubmitSegment(_OfSegment, Submit, luigi.Task):
    """Submits a segment, once the clips are made whose frames it needs."""

    def requires(self) -> list["DownloadSegment"]:
        """The segments whose frames it starts or ends with; none for stills."""
        return [
            download_of(segment, self.storyboard, self.root, self.first_owner)
            for segment in self.segment.after
        ]


class PollSegment(_OfSegment, Poll, luigi.Task):
    """Waits for a segment."""

    def requires(self) -> SubmitSegment:
        """The submit."""
        return SubmitSegment(**self.same)


class DownloadSegment(_OfSegment, Download, luigi.Task):
    """Makes a segment: its output is the finished MP4. The report's preview of it is begun at once."""

    async def _work(self) -> None:
        """Download the segment."""
        await super()._work()
        from minimax_tasks.storyboard.report.previews import prepare

        current_run().beside.submit(prepare, Storage(self.root), self.key)

    def requires(self) -> PollSegment:
        """The wait."""
        return PollSegment(**self.same)


def download_of(segment: Segment, storyboard: str, root: str, owner: Any) -> DownloadSegment:
    """The task that makes a segment for its owner."""
    return DownloadSegment(
        storyboard=storyboard,
        shot=segment.shot,
        take=segment.take,
        clip_key=segment.key,
        root=root,
        owner=owner,
    )


class RenderStoryboard(Work, NamedTask, luigi.Task):
    """Board file in, film out: `output()` is a dict of the targets `film`, `report` and `manifest`.

    The folder is named by the board's title unless `name` is given, and belongs to that board alone. A film
    whose manifest does not match what the board says now, or the files next to it, counts as not made.
    """

    storyboard = ReferenceParameter(description="the board file")
    root = RootParameter()
    name = luigi.OptionalParameter(
        default=None, description="of the film's folder; the board's title when left out"
    )
    aspect = luigi.OptionalParameter(
        default=None, description="of the film, such as 1:1; the board's when left out"
    )
    burn_captions = luigi.OptionalParameter(
        default=None,
        description="a language: makes a second film, with what is spoken written into its pictures",
    )
    retry_count = 3

    _named_as = "film"

    @property
    def _words(self) -> str:
        words = self.name or task_words(self.storyboard)
        return f"{words} · {self.aspect}" if self.aspect else words

    @property
    def _board(self) -> str:
        """Where the board is, or will be."""
        return path_of(self.storyboard, "storyboard")

    @property
    def plan(self) -> Plan:
        """The board as it is now.

        Raises `BoardError` with everything that is wrong with it, and when the folder of its film belongs to
        another board.
        """
        planned = plan_board(self._board, self.root)
        plan = delivered(planned, name=self.name, aspect=self.aspect, burnt=self.burn_captions)
        check_film_is_own(Storage(self.root), plan)
        return plan

    @property
    def _folder(self) -> str:
        # Luigi keeps one task for the same parameters, in all runs of a process; the board may get another title.
        return film_folder(Storage(self.root), self.plan)

    def requires(self) -> list[luigi.Task]:
        """Every take of every shot. The film's folder is the board's from then on: nothing is paid before.

        Where a task makes the board, it is that task; the shots follow once it is complete.
        """
        return [self.storyboard] if isinstance(self.storyboard, luigi.Task) else self._segments()

    def _segments(self) -> list[luigi.Task]:
        plan = self.plan
        take_film_folder(Storage(self.root), plan)
        return [download_of(segment, self._board, self.root, self) for segment in plan.segments]

    def _steps(self) -> Iterator[Any] | None:
        return self._in_steps() if isinstance(self.storyboard, luigi.Task) else None

    def _in_steps(self) -> Iterator[Any]:
        yield self._segments()
        run_alone(self.run_async())

    def output(self) -> dict[str, FsspecTarget]:
        """The film, its report, and the manifest that says what they were made from."""
        folder = f"{self.root}/{self._folder}"
        return {
            "film": FsspecTarget(f"{folder}/{FILM}"),
            "report": FsspecTarget(f"{folder}/{REPORT}"),
            "manifest": FsspecTarget(f"{folder}/{FILM_MANIFEST}"),
        }

    def complete(self) -> bool:
        """Whether the film is there and is the one that the board describes now."""
        if not is_there(self.storyboard):
            return False
        with announced(self):
            return is_current(Storage(self.root), self.plan) and is_handed_over(self)

    async def _work(self) -> None:
        """Join the clips and write the report, in a thread beside the tasks that wait."""
        plan = self.plan
        await asyncio.to_thread(FilmMaker(Storage(self.root), plan).make)
        if has_page(self):
            folder = film_folder(Storage(self.root), plan)
            show(self, tracking_url=link_to_file(self.root, f"{folder}/{REPORT}"))
        for note in film_notes(Storage(self.root), plan):
            log.warning("%s: %s", plan.board.title, note)
