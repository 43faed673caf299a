"""Downloading every clip that is paid for."""

import argparse
import asyncio

from minimax_tasks.commands.exit_codes import DONE, FAILED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--root", metavar="URL", help="where the files are (setting root)")
    parser.add_argument(
        "--verify", action="store_true", help="decode every clip first, and fetch again what is damaged"
    )


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from minimax_tasks import DownloadVideo, build
    from minimax_tasks.clips.ledger import late_payments
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.clips.state import clip_states
    from minimax_tasks.clips.unfinished import damaged, in_doubt, unfinished
    from minimax_tasks.console.messages import problem_of, resolve_command
    from minimax_tasks.console.output import say, tell
    from minimax_tasks.settings import Settings

    settings = Settings.load(root=options.root)
    root = open_root(settings.root)
    broken = asyncio.run(damaged(root)) if options.verify else {}
    for key, why in broken.items():
        tell(f"damaged, so fetched again: {key}: {why}")
    keys = asyncio.run(unfinished(root))
    tasks = [DownloadVideo(request=key, root=settings.root) for key in keys]
    done = build(tasks, log_level="CRITICAL") if tasks else True
    missing = [task.key for task in tasks if not task.complete()]
    say(f"{len(keys)} paid clips were unfinished, {len(keys) - len(missing)} are finished now")
    for key, state in clip_states(root, missing).items():
        problem = problem_of(root.url, key, state)
        tell(f"not finished: {key}: {state.status}" + (f": {problem}" if problem else ""))
    for late in late_payments(root):
        tell(
            f"clip {late.key}: task {late.task_id} was accepted late, after another attempt had taken its place; "
            "it is paid for, and its video is not used"
        )
    doubts = in_doubt(root)
    for key in doubts:
        command = resolve_command(root.url, key)
        tell(f"in doubt, may have been paid: {key}. Settle it with {command} --task-id ID, or --resubmit")
    return DONE if done and not missing and not doubts else FAILED
