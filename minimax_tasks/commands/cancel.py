"""Taking back clips that are still queued."""

import argparse
import asyncio

from minimax_tasks.commands.exit_codes import DONE, FAILED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "key", metavar="KEY", nargs="*", help="keys of clips; left out, all that are under way"
    )
    parser.add_argument("--root", metavar="URL", help="where the files are (setting root)")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code: 1 when a clip that was named could not be taken back."""
    from minimax_tasks.clips.cancel import CancelOutcome, cancel_all
    from minimax_tasks.clips.folder import ClipFolder
    from minimax_tasks.clips.resolve import find_clip
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.clips.service import Service
    from minimax_tasks.clips.unfinished import unfinished
    from minimax_tasks.console.output import say, tell
    from minimax_tasks.settings import Settings

    settings = Settings.load(root=options.root)
    root = open_root(settings.root)

    async def take_back() -> list[CancelOutcome]:
        named = [find_clip(root, key) for key in options.key]
        folders = named or [ClipFolder(root, key) for key in await unfinished(root)]
        async with Service(settings) as service:
            return await cancel_all(folders, service)

    outcomes = asyncio.run(take_back())
    for one in outcomes:
        if one.cancelled:
            say(
                f"clip {one.key}: task {one.task_id} is taken back, free of charge; the next run submits it again"
            )
        else:
            tell(f"clip {one.key}: not taken back: {one.why}")
    taken = sum(one.cancelled for one in outcomes)
    say(f"{taken} of {len(outcomes)} clips under way are taken back")
    return DONE if taken == len(outcomes) or not options.key else FAILED
