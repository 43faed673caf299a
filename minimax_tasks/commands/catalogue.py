"""The tables of the catalogue: models, cameras, transitions, looks of titles, templates, errors."""

import argparse
from collections.abc import Callable
from typing import Any

from minimax_tasks.commands.exit_codes import DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="for machines")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from minimax_tasks.console import catalogue
    from minimax_tasks.console.output import standard_output
    from minimax_tasks.console.streams import say_json

    tables: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "models": (catalogue.models_json, catalogue.models_table),
        "cameras": (catalogue.cameras_json, catalogue.cameras_table),
        "transitions": (catalogue.transitions_json, catalogue.transitions_table),
        "titles": (catalogue.titles_json, catalogue.titles_table),
        "templates": (catalogue.templates_json, catalogue.templates_table),
        "errors": (catalogue.errors_json, catalogue.errors_table),
    }
    as_json, as_table = tables[options.command.name]
    if options.json:
        say_json(as_json())
    else:
        standard_output().print(as_table())
    return DONE
