"""Settling a clip whose submit is in doubt; without a way to settle it, what may be its task is shown."""

import argparse
import asyncio

from minimax_tasks.commands.exit_codes import DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("key", metavar="KEY", help="the clip's key, as the message gave it")
    parser.add_argument("--root", metavar="URL", help="where the files are (setting root)")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--task-id", metavar="ID", help="the task that was accepted; nothing is paid")
    way.add_argument(
        "--resubmit", action="store_true", help="certainly nothing was accepted: pay in the next run"
    )


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from minimax_tasks.clips.resolve import adopt, allow_resubmit, candidates_of, find_clip
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.clips.service import Service
    from minimax_tasks.clips.settle import describe
    from minimax_tasks.console.output import say
    from minimax_tasks.settings import Settings

    settings = Settings.load(root=options.root)
    folder = find_clip(open_root(settings.root), options.key)

    async def settle() -> None:
        if options.resubmit:
            await allow_resubmit(folder)
            say(f"clip {folder.key}: the next run submits it again")
        elif not options.task_id:
            async with Service(settings) as service:
                found = await candidates_of(folder, service)
            for one in found:
                say(f"{describe(one.task)}" + (f"\n  {one.preview}" if one.preview else ""))
            say(
                f"clip {folder.key}: {len(found)} tasks of the account may be it. Settle it with --task-id ID, or with "
                "--resubmit when it is none of them"
            )
        else:
            async with Service(settings) as service:
                state = await adopt(folder, options.task_id, service)
            what = (await folder.claimed((await folder.submit_state()).claims)).get("what", "?")
            say(
                f"clip {folder.key} ({what}) is task {options.task_id} ({state}); the next run continues with it"
            )

    asyncio.run(settle())
    return DONE
