"""Counts the storage requests of a plan whose clips are all made, over the real S3 protocol."""

import tempfile
from pathlib import Path

from minimax_tasks.clips.state import clip_states
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.planning.make import make_plan
from tests.s3 import BUCKET, s3_server


def requests_to_plan(shots: int) -> int:
    """How many S3 calls `minimax-tasks plan` makes for so many shots."""
    with s3_server(), tempfile.TemporaryDirectory() as folder:
        board = Path(folder) / "board.yaml"
        lines = "".join(f'  - {{id: "{n:04}", cut: true, action: Shot {n}.}}\n' for n in range(shots))
        board.write_text("title: Long\nshots:\n" + lines)
        root = f"s3://{BUCKET}/plan-{shots}"
        plan = make_plan(str(board), root=root, language="en")
        storage = Storage(root)
        for segment in plan.segments:
            storage.write(f"clips/{segment.key}/video.mp4", b"made")
        storage.fs.invalidate_cache()
        calls = []
        original = storage.fs._call_s3

        async def counted(method: str, *arguments: object, **options: object) -> object:
            calls.append(method)
            return await original(method, *arguments, **options)

        storage.fs._call_s3 = counted
        try:
            states = clip_states(
                storage, [s.key for s in make_plan(str(board), root=root, language="en").segments]
            )
        finally:
            storage.fs._call_s3 = original
        if any(str(state.status) != "made" for state in states.values()):
            raise RuntimeError("the plan does not see the clips that are made")
        return len(calls)
