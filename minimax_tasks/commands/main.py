"""The command line. Exit codes: 0 done; 1 something failed while running; 2 bad input, nothing paid.

`COMMANDS` is the table of all commands. Each is a module of this room with `add_arguments` and `run`, which is loaded
when it is called: reading the command line and `--help` load nothing else of the package.
"""

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from minimax_tasks.commands.exit_codes import BAD_INPUT, DONE, FAILED
from minimax_tasks.console.streams import settle_streams

FEWEST_FILES = 64
"""Open files with which every command works."""


class Needs(IntEnum):
    """What a command needs of the machine; each needs what stands before it, too."""

    NOTHING = 0
    SCRATCH = 1
    """A folder for temporary files."""
    FILES = 2
    """`FEWEST_FILES` open files."""


class Command(NamedTuple):
    """A command: its name, what it does, the module that does it."""

    name: str
    help: str
    module: str
    needs: Needs = Needs.FILES

    def load(self) -> Any:
        """Its module."""
        return importlib.import_module(f"minimax_tasks.commands.{self.module}")


COMMANDS = (
    Command("render", "Make the film of a storyboard.", "render"),
    Command("plan", "Show what a storyboard would make and cost. Nothing is paid.", "plan", Needs.SCRATCH),
    Command(
        "dataset", "Make the dataset of a table, or with --plan show what it would make and cost.", "dataset"
    ),
    Command("export", "Write the cut of a board for editing programs, players and people.", "export"),
    Command("timeline", "The old name of export.", "export"),
    Command("resolve", "Settle a clip whose submit is in doubt.", "resolve"),
    Command("cancel", "Take back clips that are still queued (MiniMax-H3), free of charge.", "cancel"),
    Command("resume", "Download every clip already paid for. Needs only --root and costs nothing.", "resume"),
    Command("ledger", "Show what was spent, on what, per day.", "ledger", Needs.SCRATCH),
    Command("receive", "Receive callbacks: answers the challenge and stores what arrives.", "receive"),
    Command("sandbox", "Serve the video API offline until stopped.", "sandbox"),
    Command("models", "List models with modes, sizes and prices.", "catalogue", Needs.NOTHING),
    Command("cameras", "List the camera instructions.", "catalogue", Needs.NOTHING),
    Command("transitions", "List the transitions that `cut` takes.", "catalogue", Needs.NOTHING),
    Command("titles", "List the looks that `title` has.", "catalogue", Needs.NOTHING),
    Command("templates", "List the service's video templates.", "catalogue", Needs.NOTHING),
    Command(
        "errors",
        "List the service's error codes and how each is handled.",
        "catalogue",
        Needs.NOTHING,
    ),
    Command("luigi", "The luigi command line, run by a worker that keeps many clips in flight.", "luigi"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    settle_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _read(words)
        command: Command = options.command
        _set_up_logging(command, debug=options.debug)
        return int(command.load().run(options))
    except KeyboardInterrupt:
        _tell(
            "stopped; what was submitted is kept, run the same command to continue. `minimax-tasks cancel` takes back "
            "what is still queued (MiniMax-H3)"
        )
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if "--debug" in words:
            raise
        return _explain(error)


def _explain(error: Exception) -> int:
    """Say what went wrong; returns the exit code."""
    from minimax_tasks.console.messages import is_mistake, worded
    from minimax_tasks.errors import MiniMaxError

    _tell(worded(error) if isinstance(error, MiniMaxError) else _unforeseen(error))
    return BAD_INPUT if is_mistake(error) else FAILED


_LACKS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EMFILE: "too many files are open: allow more (ulimit -n), or take fewer --workers",
    errno.ENFILE: "too many files are open on this machine",
    errno.EROFS: "this file system cannot be written to",
}
"""What a machine may run out of, in plain words."""


def _unforeseen(error: Exception) -> str:
    """What to say of an exception that no command foresees. Those of this package are written for people."""
    if type(error).__module__.startswith("minimax_tasks."):
        return str(error)
    if isinstance(error, OSError):
        lack = _LACKS.get(error.errno or 0, "")
        return f"{error}; {lack}" if lack else f"{type(error).__name__}: {error}; --debug shows where"
    return f"{type(error).__name__}: {error}\nThis should not happen; --debug shows where it did"


def _read(words: list[str]) -> argparse.Namespace:
    """The options of a command line. What follows `luigi` is Luigi's own, in any order."""
    if words[:1] != ["luigi"] or words[1:] in (["-h"], ["--help"]):
        return _parser(words).parse_args(words)
    ours = words[1:2] == ["--debug"]
    options = _parser(words).parse_args(words[: 1 + ours])
    options.words = words[1 + ours :]
    return options


def _parser(words: list[str]) -> argparse.ArgumentParser:
    """All commands, and the options of the one that the words name."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="log everything, and show tracebacks")
    parser = argparse.ArgumentParser(
        prog="minimax-tasks",
        description="MiniMax (Hailuo) video as Luigi tasks, storyboards and an offline sandbox.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    called = next((word for word in words if not word.startswith("-")), "")
    for command in COMMANDS:
        own = commands.add_parser(command.name, help=command.help, description=command.help, parents=[common])
        own.set_defaults(command=command)
        if command.name == called:
            _check_machine(command)  # first, since Luigi asks for a temporary folder while it is loaded
            command.load().add_arguments(own)
    return parser


def _check_machine(command: Command) -> None:
    """Raise `ConfigurationError` when there is no place for what Luigi and the joins write on the side."""
    if command.needs < Needs.SCRATCH:
        return
    from minimax_tasks.errors import ConfigurationError
    from minimax_tasks.storage.temporary import temporary_place

    temporary_place()
    if command.needs < Needs.FILES:
        return
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < FEWEST_FILES:
        raise ConfigurationError(
            f"only {files} files may be open at once; allow {FEWEST_FILES} or more (ulimit -n {FEWEST_FILES})"
        )


def _set_up_logging(command: Command, *, debug: bool) -> None:
    if command.name == "luigi":
        return  # Luigi sets up its own
    import logging
    import warnings

    logging.basicConfig(
        level=logging.DEBUG if debug else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    if debug:
        logging.getLogger("httpcore").setLevel(logging.INFO)
        return
    for name in ("luigi", "luigi-interface"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _tell(text: str) -> None:
    from minimax_tasks.console.output import tell

    tell(text)


if __name__ == "__main__":
    sys.exit(main())
