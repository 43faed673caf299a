"""Writes `reference/commands.md` from the parser of the command line."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from minimax_tasks.commands.main import COMMANDS, Command

PAGE = Path(__file__).parent / "reference" / "commands.md"

_HEAD = """# Commands

`minimax-tasks COMMAND --help` prints the same. Every command takes `--debug`, which logs everything and shows
tracebacks. What a command reads and writes on the way (key, root, pace) are [settings](settings.md).

**Exit codes**: 0 done; 1 something failed while running; 2 bad input or usage, nothing was paid. Errors go to
stderr, results to stdout.

Tables are for people; `--json`, where a command has it, is for machines.
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_section(command) for command in COMMANDS)


def _section(command: Command) -> str:
    name, sub = command.name, argparse.ArgumentParser()
    command.load().add_arguments(sub)
    usage = " ".join(_usage(action) for action in _own(sub))
    rows = "".join(f"| {_names(action)} | {_cell(action)} |\n" for action in _own(sub))
    table = f"\n| argument | meaning |\n|---|---|\n{rows}" if rows else ""
    return (
        f"\n## {name}\n\n{command.help}\n\n```text\nminimax-tasks {name} {usage}".rstrip() + f"\n```\n{table}"
    )


def _own(sub: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in sub._actions:
        if not {"--help", "--debug"} & set(action.option_strings):
            yield action


def _value(action: argparse.Action) -> str:
    return "" if action.nargs == 0 else str(action.metavar or action.dest.upper())


def _usage(action: argparse.Action) -> str:
    if not action.option_strings:
        return "…" if action.nargs == argparse.REMAINDER else _value(action)
    return f"[{' '.join(filter(None, (action.option_strings[-1], _value(action))))}]"


def _names(action: argparse.Action) -> str:
    words = [*action.option_strings[-1:], _value(action)]
    return f"`{' '.join(filter(None, words))}`"


def _cell(action: argparse.Action) -> str:
    usual = action.default
    told = f"default: `{usual}`" if action.option_strings and usual not in (None, False) else ""
    return "; ".join(filter(None, ((action.help or "").replace("|", "\\|"), told)))
