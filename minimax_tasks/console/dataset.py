"""A dataset in a terminal: what its table would make and cost, and how far a run has come."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from minimax_tasks.clips.layout import FAILED_ROWS
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.state import ClipState, ClipStatus
from minimax_tasks.console.live import LiveProgress
from minimax_tasks.console.messages import worded
from minimax_tasks.console.output import Output, ruled_table
from minimax_tasks.console.plan import plural
from minimax_tasks.console.price import Price, paid_for, price_of, price_words
from minimax_tasks.dataset.card import counted
from minimax_tasks.dataset.plan import DatasetPlan
from minimax_tasks.dataset.shard import ClipNews
from minimax_tasks.redaction import shown

MOST_PROBLEMS = 20
"""Rows with a problem that are told one by one; `failed.jsonl` has them all."""

_STEPS = 10
"""Lines about how far it is that a pipe or a log gets."""

_WRONG = {ClipStatus.FAILED, ClipStatus.REFUSED, ClipStatus.IN_DOUBT, ClipStatus.UNCHECKED}

States = Mapping[str, ClipState]


def to_pay(plan: DatasetPlan, states: States, *, retry_failed: bool = False) -> Price:
    """What another run would pay."""
    return price_of(plan.clips, states, retry_failed=retry_failed)


def summary_line(name: str, plan: DatasetPlan, price: Price) -> str:
    """`waves: 1,500 rows, 1,420 clips; 20 known already, 1,400 to make (USD 392.00)`."""
    clips = len(plan.clips)
    return (
        f"{name}: {counted(len(plan.rows), 'row')}, {counted(clips, 'clip')}; "
        f"{clips - price.clips:,} known already, {price.clips:,} to make ({price})"
    )


def dataset_table(name: str, plan: DatasetPlan, states: States, *, retry_failed: bool = False) -> Table:
    """One line for each mode, model and size, the total under it. `retry_failed` pays for those that failed."""
    price = to_pay(plan, states, retry_failed=retry_failed)
    table = ruled_table(name)
    groups = _groups(plan, states, paid_for(retry_failed=retry_failed))
    table.add_column("what is asked", footer=counted(len(plan.rows), "row"))
    table.add_column("clips", footer=f"{len(plan.clips):,}", justify="right", no_wrap=True)
    table.add_column("made", footer=f"{sum(one.made for one in groups):,}", justify="right", no_wrap=True)
    table.add_column("to pay", footer=f"{price.clips:,}", justify="right", no_wrap=True)
    table.add_column("USD each", justify="right", no_wrap=True)
    table.add_column("USD", footer=f"{price.usd:.2f}", justify="right", no_wrap=True)
    for one in groups:
        each = "?" if one.usd is None else f"{one.usd:.2f}"
        total = "?" if one.usd is None and one.to_pay else f"{(one.usd or 0) * one.to_pay:.2f}"
        table.add_row(one.label, f"{one.clips:,}", f"{one.made:,}", f"{one.to_pay:,}", each, total)
    if price.unpriced:
        table.caption = f"? no published price ({plural(price.unpriced, 'clip')} to pay)"
    return table


def problem_lines(plan: DatasetPlan, problems: Mapping[str, str]) -> list[str]:
    """The problems of clips, by key, as lines that name their first rows."""
    places = _places(plan)
    lines = [f"{places[key]}: {text}" for key, text in problems.items()]
    more = len(lines) - MOST_PROBLEMS
    return [*lines[:MOST_PROBLEMS], *([f"and {more:,} more"] if more > 0 else [])]


def plan_json(
    name: str, folder: str, plan: DatasetPlan, states: States, price: Price, problems: Mapping[str, str]
) -> dict[str, Any]:
    """The plan with every row, its clip and its price."""
    return {
        "name": name,
        "table": shown(plan.table),
        "folder": shown(folder),
        "digest": plan.digest,
        "rows": [
            {
                "row": planned.row.number,
                **({"file": planned.row.file} if planned.row.file else {}),
                **_asked(planned.clip),
                "key": planned.key,
                "state": str(states[planned.key].status),
                "usd": planned.clip.request.usd,
                **({"problem": problems[planned.key]} if planned.key in problems else {}),
            }
            for planned in plan.rows
        ],
        "total": {
            "rows": len(plan.rows),
            "clips": len(plan.clips),
            "usd": round(price.usd, 2),
            "clips_to_pay": price.clips,
            "without_price": price.unpriced,
        },
        "warnings": list(plan.warnings),
    }


class DatasetProgress(LiveProgress):
    """Shows what the shards of one dataset do: on a terminal counts that move, elsewhere some plain lines."""

    def __init__(
        self, console: Output, name: str, plan: DatasetPlan, states: States, *, paid: bool = True
    ) -> None:
        """`paid` is False for a sandbox, which takes nothing."""
        super().__init__(console, paid=paid)
        self._name = name
        self._places = _places(plan)
        self._usd = {key: clip.request.usd for key, clip in plan.clips.items()}
        self._made = {key for key in self._usd if states[key].status is ClipStatus.MADE}
        self._spent = {key for key in self._usd if states[key].status not in _UNPAID}
        self._paid_usd = sum(self._usd[key] or 0.0 for key in self._spent)
        self._total_usd = sum(usd or 0.0 for usd in self._usd.values())
        self._unpriced = list(self._usd.values()).count(None)
        self._failed: dict[str, str] = {}
        self._told = len(self._made)
        self._folder = ""
        self.errors: list[BaseException] = []
        """Why the folder is not what the table says."""

    def clip_news(self, key: str, news: ClipNews, text: str) -> None:
        """A clip was submitted, was made or failed."""
        with self._lock:
            if news is ClipNews.FAILED:
                self._failed[key] = text
            else:
                if key not in self._spent:
                    self._spent.add(key)
                    self._paid_usd += self._usd.get(key) or 0.0
                self._failed.pop(key, None)
                if news is ClipNews.MADE:
                    self._made.add(key)
        if self._live is None:
            self._tell(key, news, text)

    def delivery_started(self) -> None:
        """The folder is being brought in step with the table."""
        self._tell_folder("delivering")

    def delivery_done(self) -> None:
        """The folder is what the table says."""
        self._tell_folder("delivered")

    def delivery_failed(self, error: BaseException) -> None:
        """Rows are missing, or the folder could not be written."""
        self.errors.append(error)

    def sum_line(self) -> str:
        """`5 of 14 · 1:20 · $1.68 of $4.48`: clips that are made, time, what is paid of what all of it costs."""
        price = price_words(self._paid_usd, self._total_usd, self._unpriced)
        return self._sum(f"{len(self._made):,} of {len(self._usd):,}", price)

    def rows(self) -> Iterator[tuple[Spinner | Text, str, Text | str]]:
        """A line for each thing that clips do."""
        with self._lock:
            failed, made, spent = dict(self._failed), len(self._made), len(self._spent)
        under_way = max(0, spent - made - sum(key in self._spent for key in failed))
        waiting = max(0, len(self._usd) - made - under_way - len(failed))
        if made:
            yield self._text("✓", "green"), f"{made:,} made", ""
        if failed:
            key, why = next(reversed(failed.items()))
            last = f"{self._places[key]}: {' '.join(why.split())}"
            yield self._text("✗", "red"), f"{len(failed):,} failed", self._text(last, "red")
        if under_way:
            yield self._spinner, f"{under_way:,} generating", ""
        if waiting:
            yield self._text("·", "dim"), f"{waiting:,} to make", ""
        if self._folder:
            mark = self._text("✓", "green") if self._folder == "delivered" else self._spinner
            yield mark, self._name, self._folder

    def _tell(self, key: str, news: ClipNews, text: str) -> None:
        """Lines for readers of a pipe or a log: a few about how far it is, and the first that failed."""
        if news is ClipNews.FAILED:
            if len(self._failed) <= MOST_PROBLEMS:
                self._console.whole(f"{self._places.get(key, key)}: failed: {' '.join(text.split())}")
            elif len(self._failed) == MOST_PROBLEMS + 1:
                self._console.whole(f"more rows failed; {FAILED_ROWS} has them all")
        ended = len(self._made) + len(self._failed)
        if ended >= self._told + max(1, len(self._usd) // _STEPS) and ended < len(self._usd):
            self._told = ended
            self._console.whole(self.sum_line())

    def _tell_folder(self, what: str) -> None:
        self._folder = what
        if self._live is None:
            self._console.whole(f"{self._name}: {what}")


_UNPAID = {ClipStatus.TO_MAKE, ClipStatus.REFUSED}


@dataclass(frozen=True)
class _Group:
    """Clips of a plan that ask for the same but for prompt and pictures."""

    label: str
    usd: float | None
    clips: int
    made: int
    to_pay: int


def _groups(plan: DatasetPlan, states: States, paid: frozenset[ClipStatus]) -> list[_Group]:
    """The clips by what they ask for, in the order of the rows."""
    counts: dict[tuple[str, float | None], Counter[ClipStatus]] = {}
    for key, clip in plan.clips.items():
        label = f"{clip.mode}, {clip.request.label}"
        counts.setdefault((label, clip.request.usd), Counter())[states[key].status] += 1
    return [
        _Group(label, usd, found.total(), found[ClipStatus.MADE], sum(found[status] for status in paid))
        for (label, usd), found in counts.items()
    ]


def _asked(clip: ClipRequest) -> dict[str, Any]:
    facts = clip.request.facts()
    return {"mode": str(clip.mode)} | {name: facts[name] for name in ("model", "resolution", "duration")}


def _places(plan: DatasetPlan) -> dict[str, str]:
    """Key of a clip -> the first row that asks for it."""
    return {planned.key: planned.row.place for planned in reversed(plan.rows)}


def error_lines(errors: Iterable[BaseException]) -> list[str]:
    """Errors in words, each once."""
    return list(dict.fromkeys(map(worded, errors)))
