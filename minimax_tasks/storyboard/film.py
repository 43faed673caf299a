"""From finished clips to the film, its report and its manifest."""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minimax_tasks.clips.folder import VIDEO, now
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.plan import Plan

FILES = ("film.mp4", "report.html", "manifest.json")


def film_folder(slug: str) -> str:
    """The folder of a film under a root."""
    return f"films/{slug}"


def is_current(root: Storage, plan: Plan) -> bool:
    """Whether the film is there and was made from what the board says now."""
    folder = film_folder(plan.slug)
    manifest = root.read_json(f"{folder}/manifest.json")
    if manifest is None or manifest.get("digest") != plan.digest:
        return False
    return all(root.exists(f"{folder}/{name}") for name in FILES)


@dataclass(frozen=True)
class Cutting:
    """The join of a plan's clips under a root."""

    root: Storage
    plan: Plan

    def make(self) -> None:
        """Join the clips and write `film.mp4`, `report.html`, and last `manifest.json`.

        Raises FileNotFoundError when a clip is missing and `VideoError` when one cannot be joined.
        """
        from minimax_tasks.storyboard.dailies import film_report
        from minimax_tasks.storyboard.report import render_report
        from minimax_tasks.video.join import Piece, join

        folder = film_folder(self.plan.slug)
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="minimax-film-")))
            clips = {
                segment.key: str(stack.enter_context(self.root.as_local(f"clips/{segment.key}/{VIDEO}")))
                for segment in self.plan.segments
            }
            pieces = [
                Piece(
                    clips[shot.picked.key],
                    title=f"Shot {shot.shot.id}",
                    transition=shot.join.kind if shot.join.seconds else "cut",
                    transition_seconds=shot.join.seconds,
                    repeats_frame=shot.join.repeats_frame,
                )
                for shot in self.plan.shots
            ]
            draft = scratch / "film.mp4"
            joined = join(str(draft), pieces)
            made_at = now()
            report = film_report(self.root, self.plan, clips, joined, made_at)
            self.root.put(draft, f"{folder}/film.mp4")
            self.root.write(f"{folder}/report.html", render_report(report).encode())
            self.root.write_json(f"{folder}/manifest.json", self._manifest(joined, made_at))

    def _manifest(self, joined: Any, made_at: str) -> dict[str, Any]:
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
            }
            for shot, start in zip(self.plan.shots, joined.starts, strict=True)
        ]
        return {
            "digest": self.plan.digest,
            "title": self.plan.board.title,
            "board": self.plan.path,
            "made_at": made_at,
            "joined": joined.method,
            "reason": joined.reason,
            "frames": joined.frames,
            "seconds": round(joined.seconds, 4),
            "fps": float(joined.fps),
            "width": joined.width,
            "height": joined.height,
            "shots": shots,
        }
