"""The cut of a board as a file for editing programs, players and people; `timeline` is the old name of `export`."""

import argparse

from minimax_tasks.commands.deliveries import add_delivery_options, asked_plan
from minimax_tasks.commands.exit_codes import DONE, FAILED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from minimax_tasks.storyboard.exports.formats import EXPORTS

    parser.add_argument("board", metavar="BOARD", help="storyboard file (YAML), any fsspec path or URL")
    parser.add_argument(
        "out", metavar="OUT", help=f"local file to write; its ending says as what: {', '.join(EXPORTS)}"
    )
    parser.add_argument(
        "--relative",
        action="store_true",
        help="copy the media into a folder beside OUT, and name them from there",
    )
    add_delivery_options(parser)
    parser.add_argument("--root", metavar="URL", help="where the files are (setting root)")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.console.output import say, tell
    from minimax_tasks.settings import Settings
    from minimax_tasks.storyboard.exports.formats import check_out, write_timeline

    check_out(options.out, relative=options.relative)
    settings = Settings.load(root=options.root)
    storage = open_root(settings.root)
    plan = asked_plan(options, settings)
    exported = write_timeline(storage, plan, options.out, relative=options.relative)
    for file in exported.files:
        say(f"export: {file}")
    for loss in exported.losses:
        tell(loss)
    if exported.missing:
        tell(f"not made or not readable, so left out: {', '.join(exported.missing)}")
    return FAILED if exported.missing else DONE
