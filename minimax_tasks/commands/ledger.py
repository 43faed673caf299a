"""What was spent, on what, per day."""

import argparse

from minimax_tasks.commands.exit_codes import DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--root", metavar="URL", help="where the files are (setting root)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for machines")
    form.add_argument("--prometheus", action="store_true", help="for the text collector of Prometheus")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from minimax_tasks.clips.ledger import payments
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.console.ledger import (
        is_drawn,
        ledger_json,
        ledger_metrics,
        ledger_table,
        with_purposes,
    )
    from minimax_tasks.console.output import say, standard_output
    from minimax_tasks.console.streams import say_json
    from minimax_tasks.settings import Settings

    root = open_root(Settings.load(root=options.root).root)
    found, drawn = with_purposes(root, payments(root)), is_drawn(root)
    if options.prometheus:
        say(ledger_metrics(found, root.url, drawn=drawn).rstrip("\n"))
    elif options.json:
        say_json(ledger_json(found, drawn=drawn))
    else:
        console = standard_output()
        console.print(ledger_table(found, drawn=drawn, width=console.width))
    return DONE
