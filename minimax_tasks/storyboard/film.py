"""From finished clips to the film, its report and its manifest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from minimax_tasks.clips.folder import VIDEO, now
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.temporary import temporary_folder
from minimax_tasks.storyboard.damaged import damaged_clips, without_damaged
from minimax_tasks.storyboard.plan import Plan, PlannedShot
from minimax_tasks.storyboard.reasons import made_from, reasons
from minimax_tasks.storyboard.standing import ClipState, Made, look_up

if TYPE_CHECKING:
    from minimax_tasks.video.join import Piece

FILES = ("film.mp4", "report.html", "manifest.json")
PARTIAL = "film.partial.mp4"
"""A film with slates in its holes: never under the film's own name."""

EARLIER_FILM = "film.mp4 in this folder is the film as it was made before"

_SLATE_SIZE = (1366, 768)
_SLATE_FPS = Fraction(24)


def film_folder(slug: str) -> str:
    """The folder of a film under a root."""
    return f"films/{slug}"


def is_current(root: Storage, plan: Plan) -> bool:
    """Whether the film is there, with every take, and was made from what the board says now."""
    folder = film_folder(plan.slug)
    manifest = root.read_json(f"{folder}/manifest.json")
    if manifest is None or manifest.get("digest") != plan.digest or manifest.get("missing"):
        return False
    return all(root.exists(f"{folder}/{name}") for name in FILES)


def why_to_make(root: Storage, plan: Plan, states: Mapping[str, ClipState]) -> dict[str, str]:
    """Key -> why, for every clip of the plan that is to be made."""
    manifest = root.read_json(f"{film_folder(plan.slug)}/manifest.json")
    to_make = [key for key, state in states.items() if state.made is Made.TO_MAKE]
    return reasons(plan, manifest, to_make)


def film_notes(root: Storage, slug: str) -> list[str]:
    """Where the film is not what its clips are, in words for people: sound that is left out, other rates."""
    manifest = root.read_json(f"{film_folder(slug)}/manifest.json") or {}
    return [str(note) for note in manifest.get("notes") or ()]


@dataclass(frozen=True)
class Cutting:
    """The join of a plan's clips under a root."""

    root: Storage
    plan: Plan

    def make(self, problems: Mapping[str, str] = MappingProxyType({})) -> None:
        """Join the clips and write `film.mp4`, `report.html`, and last `manifest.json`.

        Takes that are not picked may be missing; the manifest names them, and the report says why: `problems`
        has, by clip key, what is known of a clip beyond its files. Raises FileNotFoundError when a picked clip
        is missing and `VideoError` when one cannot be joined.
        """
        from minimax_tasks.storyboard.dailies import film_report
        from minimax_tasks.storyboard.report import render_report
        from minimax_tasks.video.join import join

        states = self._states(problems)
        for shot in self.plan.shots:
            if states[shot.picked.key].made is not Made.MADE:
                raise FileNotFoundError(self.root.join(f"clips/{shot.picked.key}/{VIDEO}"))
        missing = [key for key, state in states.items() if state.made is not Made.MADE]
        with self._clips(states) as (clips, scratch):
            draft = scratch / "film.mp4"
            joined = join(str(draft), [_piece(shot, clips[shot.picked.key]) for shot in self.plan.shots])
            made_at = now()
            report = film_report(self.root, self.plan, clips, states, joined, "film.mp4", made_at)
            self.root.put(draft, self._name("film.mp4"))
            self.root.write(self._name("report.html"), render_report(report).encode())
            self.root.write_json(self._name("manifest.json"), self._manifest(joined, made_at, missing))
            self.root.remove(self._name(PARTIAL))

    def make_partial(self, problems: Mapping[str, str], *, film: bool) -> str:
        """Write a report of what there is and, with `film`, a film with a slate in each hole.

        `problems` as in `make`. Returns the path of the partial film, "" without one.
        """
        from minimax_tasks.storyboard.dailies import film_report
        from minimax_tasks.storyboard.report import render_report
        from minimax_tasks.video.join import join

        states = self._states(problems)
        with self._clips(states) as (clips, scratch):
            without_damaged(clips, states)
            joined = None
            if film:
                pieces = self._with_slates(clips, states, scratch)
                joined = join(str(scratch / PARTIAL), pieces)
                self.root.put(scratch / PARTIAL, self._name(PARTIAL))
            name = PARTIAL if film else ""
            report = film_report(self.root, self.plan, clips, states, joined, name, now())
            if self.root.exists(self._name("film.mp4")):
                report = replace(report, warnings=(*report.warnings, EARLIER_FILM))
            self.root.write(self._name("report.html"), render_report(report).encode())
        return self.root.join(self._name(PARTIAL)) if film else ""

    def damaged(self) -> dict[str, str]:
        """What is wrong with clips that are there and cannot be read, by key."""
        with self._clips(self._states({})) as (clips, _):
            return damaged_clips(clips)

    def _states(self, problems: Mapping[str, str]) -> dict[str, ClipState]:
        found = look_up(self.root, [segment.key for segment in self.plan.segments])
        return {
            key: replace(state, problem=state.problem or problems.get(key, ""))
            for key, state in found.items()
        }

    def _name(self, name: str) -> str:
        return f"{film_folder(self.plan.slug)}/{name}"

    @contextmanager
    def _clips(self, states: Mapping[str, ClipState]) -> Iterator[tuple[dict[str, str], Path]]:
        """Local paths of the clips that are made, by key, and a folder to work in."""
        with ExitStack() as stack:
            scratch = stack.enter_context(temporary_folder())
            clips = {
                key: str(stack.enter_context(self.root.as_local(f"clips/{key}/{VIDEO}")))
                for key, state in states.items()
                if state.made is Made.MADE
            }
            yield clips, scratch

    def _with_slates(
        self, clips: Mapping[str, str], states: Mapping[str, ClipState], scratch: Path
    ) -> list["Piece"]:
        from minimax_tasks.video.slate import write_slate

        size, fps = _usual(clips)
        pieces: list[Piece] = []
        for shot in self.plan.shots:
            path = clips.get(shot.picked.key)
            if path is None:
                path = str(scratch / f"slate-{len(pieces)}.mp4")
                state = states[shot.picked.key]
                words = (str(state.made), state.problem[:300], shot.shot.action or "")
                seconds = shot.picked.request.size[1]
                write_slate(path, size, fps, seconds, f"Shot {shot.shot.id} is missing", words)
            before = self.plan.shots[len(pieces) - 1] if pieces else None
            whole = path in clips.values() and (before is None or before.picked.key in clips)
            pieces.append(_piece(shot, path, repeats=whole))
        return pieces

    def _manifest(self, joined: Any, made_at: str, missing: list[str]) -> dict[str, Any]:
        """Which board, which clips, which joins."""
        shots = [
            {
                "id": shot.shot.id,
                "clip": shot.picked.key,
                "take": shot.picked.take,
                "takes": [segment.key for segment in shot.segments],
                "join": shot.join.label,
                "drops_repeated_frame": shot.join.repeats_frame,
                "starts_at": round(start, 4),
                "made_from": made_from(self.plan, shot),
            }
            for shot, start in zip(self.plan.shots, joined.starts, strict=True)
        ]
        return {
            "digest": self.plan.digest,
            "title": self.plan.board.title,
            "board": shown(self.plan.path),
            "made_at": made_at,
            "joined": joined.method,
            "reason": joined.reason,
            "notes": list(joined.notes),
            "frames": joined.frames,
            "seconds": round(joined.seconds, 4),
            "fps": float(joined.fps),
            "width": joined.width,
            "height": joined.height,
            "shots": shots,
            "missing": missing,
        }


def _piece(shot: PlannedShot, path: str, *, repeats: bool = True) -> "Piece":
    from minimax_tasks.video.join import Piece

    return Piece(
        path,
        title=f"Shot {shot.shot.id}",
        transition=shot.join.kind if shot.join.seconds else "cut",
        transition_seconds=shot.join.seconds,
        repeats_frame=shot.join.repeats_frame and repeats,
    )


def _usual(clips: Mapping[str, str]) -> tuple[tuple[int, int], Fraction]:
    """The size and frame rate that most clips have."""
    from minimax_tasks.video.probe import probe

    found = [probe(path, "header") for path in clips.values()]
    if not found:
        return _SLATE_SIZE, _SLATE_FPS
    (size, fps), _ = Counter((one.shown_size, one.usual_fps) for one in found).most_common(1)[0]
    return size, fps
