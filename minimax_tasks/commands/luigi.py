"""The luigi command line, run by a worker that keeps many clips in flight."""

import argparse
import os
import tempfile

from minimax_tasks.commands.exit_codes import BAD_INPUT, DONE, FAILED

_ERRORS_SHOWN = 10
"""Errors of a Luigi run that are written out at its end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("words", nargs=argparse.REMAINDER, help="what you would give to luigi")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from minimax_tasks.settings import Settings

    Settings.load()  # what is wrong there is said before Luigi reads it
    import luigi
    from luigi.interface import PidLockAlreadyTakenExit
    from luigi.parameter import ParameterException
    from luigi.task_register import TaskClassException

    from minimax_tasks import register_tasks
    from minimax_tasks.console.messages import is_mistake, worded
    from minimax_tasks.console.output import tell
    from minimax_tasks.tasks.build import in_flight_factory
    from minimax_tasks.tasks.heard import hearing
    from minimax_tasks.tasks.result import asked_tasks, check_values, chosen_codes, is_done
    from minimax_tasks.tasks.worker import on_sigterm

    register_tasks()
    words = list(options.words)
    if not any(word.split("=")[0] == "--module" for word in words):
        words = ["--module", "minimax_tasks", *words]
    if not any(word.split("=")[0] == "--workers" for word in words):
        words += ["--workers", str(Settings.load().max_in_flight)]
    words += _own_lock(words)
    restore = on_sigterm(KeyboardInterrupt())
    try:
        codes = chosen_codes(words)
        check_values(words)
        with hearing() as heard:
            result = luigi.run(words, worker_scheduler_factory=in_flight_factory(), detailed_summary=True)
    except PidLockAlreadyTakenExit:
        tell("the same command runs already (--no-lock lets both run)")
        return _first(codes.get("already_running"), FAILED)
    except (ParameterException, TaskClassException, ImportError) as error:
        tell(str(error))
        return BAD_INPUT
    finally:
        restore()
    if is_done(result, asked_tasks(result)):
        return _first(codes.of(result), DONE)
    said = list(dict.fromkeys(map(worded, heard.errors)))
    for text in said[:_ERRORS_SHOWN]:
        tell(text)
    if len(said) > _ERRORS_SHOWN:
        tell(f"and {len(said) - _ERRORS_SHOWN} more; Luigi's log has them all")
    is_input = bool(said) and not heard.started and all(map(is_mistake, heard.errors))
    return _first(codes.of(result), BAD_INPUT if is_input else FAILED)


def _first(chosen: int | None, ours: int) -> int:
    """The exit code that a person chose in `[retcode]`, else ours."""
    return ours if chosen is None else chosen


def _own_lock(words: list[str]) -> list[str]:
    """A folder of one's own for Luigi's lock, where that of everybody belongs to another user."""
    usual = os.path.join(tempfile.gettempdir(), "luigi")
    if any(word.split("=")[0] in ("--lock-pid-dir", "--no-lock") for word in words):
        return []
    if not os.path.isdir(usual) or os.access(usual, os.W_OK):
        return []
    return ["--lock-pid-dir", f"{usual}-{os.getuid() if hasattr(os, 'getuid') else 'own'}"]
