"""What a run of Luigi came to: whether all that was asked for is done, and the exit code that a person chose for it.

`luigi.execution_summary` has what the closing summary is made from, and is not documented: all use of it is here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import luigi
from luigi import execution_summary
from luigi.cmdline_parser import CmdlineParser
from luigi.execution_summary import LuigiRunResult
from luigi.parameter import ParameterException
from luigi.retcodes import retcode
from luigi.task_register import Register
from luigi.task_status import DONE

from minimax_tasks.errors import ConfigurationError, MiniMaxError
from minimax_tasks.redaction import clean, shown

_CODES = {
    "missing_data": "still_pending_ext",
    "task_failed": "failed",
    "already_running": "run_by_other_worker",
    "scheduling_error": "scheduling_error",
    "not_run": "not_run",
}
"""Option of `[retcode]` -> which tasks of the summary it is about."""


_USUAL = dict.fromkeys(_CODES, 0) | {"unhandled_exception": 4}
"""Luigi's defaults."""


class BuildResult(LuigiRunResult):
    """Luigi's detailed summary. It is true when all that was asked for is done."""

    def __init__(self, result: LuigiRunResult, tasks: Iterable[luigi.Task]) -> None:
        vars(self).update(vars(result))
        self.tasks = tuple(tasks)

    def __bool__(self) -> bool:
        return is_done(self, self.tasks)


def is_done(result: LuigiRunResult, tasks: Iterable[luigi.Task]) -> bool:
    """Whether all these tasks were run, or were done before, by whomever."""
    told = execution_summary._summary_dict(result.worker)
    done = told["completed"] | told["already_done"]
    others = [task for task in tasks if task not in done]
    if not others:
        return True
    if told["scheduling_error"].intersection(others):
        return False  # not asked again whether it is complete: its mistake would be heard of twice
    # What failed may be complete all the same: what a subclass does after our work may have come to nothing.
    mended = all(_was_done_by_others(result, task) for task in told["failed"])
    return mended and all(map(_is_complete, others))


def _was_done_by_others(result: LuigiRunResult, task: luigi.Task) -> bool:
    """Whether the scheduler gave a task that failed here to another worker, which did it."""
    try:
        return task.task_id in result.worker._scheduler.task_search(task.task_id).get(DONE, {})
    except Exception:  # the scheduler is gone
        return False


def _is_complete(task: luigi.Task) -> bool:
    """Another worker may have run it. A task that cannot tell is not done."""
    try:
        return bool(task.complete())
    except Exception:
        return False


def asked_tasks(result: LuigiRunResult) -> list[luigi.Task]:
    """The task that a command line named."""
    return [execution_summary._root_task(result.worker)]


def check_values(words: Sequence[str]) -> None:
    """Raise `ConfigurationError` for a value of a command line, or of the configuration, that its parameter refuses.

    Luigi lets through whatever its parameters raise, such as a ValueError about an int.
    """
    with CmdlineParser.global_instance(list(words)) as parser:
        family = parser.known_args.root_task
        for name, parameter in Register.get_task_cls(family).get_params():
            given = getattr(parser.known_args, name)
            try:
                if given:
                    parameter.parse(given)
                parameter.has_task_value(family, name)
            except (MiniMaxError, ParameterException):
                raise
            except Exception as error:
                value = f" = {shown(str(given))!r}" if given else ""
                raise ConfigurationError(
                    f"{name}{value}: {type(parameter).__name__} does not take it ({clean(error, 200)})"
                ) from None


def chosen_codes(words: Sequence[str]) -> "ChosenCodes":
    """The exit codes that a person chose, in `[retcode]` or with `--retcode-…` in a command line of Luigi."""
    with CmdlineParser.global_instance(list(words)):
        return ChosenCodes()


class ChosenCodes:
    """What nobody chose is None: Luigi's defaults, nearly all 0, say nothing of what a program of ours ends with."""

    def __init__(self) -> None:
        configuration, now = luigi.configuration.get_config(), retcode()
        self._of = {
            name: int(getattr(now, name))
            for name, usual in _USUAL.items()
            if configuration.has_option("retcode", name) or getattr(now, name) != usual
        }

    def get(self, name: str) -> int | None:
        """The code of one option of `[retcode]`."""
        return self._of.get(name)

    def of(self, result: LuigiRunResult) -> int | None:
        """The code for what a run came to: the highest of all that apply, as Luigi has it."""
        told: dict[str, Any] = execution_summary._summary_dict(result.worker)
        happened = [name for name, group in _CODES.items() if told[group]]
        if not happened and not is_done(result, asked_tasks(result)):
            happened = ["not_run"]
        return max((self._of[name] for name in happened if name in self._of), default=None)
