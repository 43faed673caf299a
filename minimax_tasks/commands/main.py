"""The commands. Exit codes: 0 done; 1 something failed while running; 2 bad input, nothing paid."""

import argparse
import asyncio
import contextlib
import errno
import logging
import math
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from minimax_tasks.console.output import json_text, settle_streams, standard_error, standard_output
from minimax_tasks.errors import BoardError, ConfigurationError, InvalidRequest, MiniMaxError

DONE, FAILED, BAD_INPUT = 0, 1, 2

FEWEST_FILES = 64
"""Open files with which every command works."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    settle_streams()
    options = _read(list(sys.argv[1:] if arguments is None else arguments))
    _set_up_logging(options)
    try:
        _check_machine(options)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except KeyboardInterrupt:
        _tell("stopped; what was submitted is kept, run the same command to go on")
        return FAILED
    except (BoardError, ConfigurationError, InvalidRequest) as error:
        if options.debug:
            raise
        _tell(str(error))
        return BAD_INPUT
    except MiniMaxError as error:
        if options.debug:
            raise
        _tell(str(error))
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if options.debug:
            raise
        _tell(_unforeseen(error))
        return FAILED


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
        return _parser().parse_args(words)
    ours = words[1:2] == ["--debug"]
    options = _parser().parse_args(words[: 1 + ours])
    options.words = words[1 + ours :]
    return options


def _check_machine(options: argparse.Namespace) -> None:
    """Raise `ConfigurationError` when there is no place for what Luigi and the joins write on the side."""
    if options.command is _catalogue:
        return
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise ConfigurationError(
            "there is no writable folder for temporary files; set TMPDIR to one"
        ) from None
    if options.command in (_plan, _ledger):
        return
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY and files < FEWEST_FILES:
            raise ConfigurationError(
                f"only {files} files may be open at once; allow {FEWEST_FILES} or more (ulimit -n {FEWEST_FILES})"
            )


def _set_up_logging(options: argparse.Namespace) -> None:
    if options.command is _luigi:
        return  # Luigi sets up its own
    logging.basicConfig(
        level=logging.DEBUG if options.debug else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    if options.debug:
        logging.getLogger("httpcore").setLevel(logging.INFO)
        return
    for name in ("luigi", "luigi-interface"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="log everything, and show tracebacks")
    parser = argparse.ArgumentParser(
        prog="minimax-tasks",
        description="MiniMax (Hailuo) video as Luigi tasks, storyboards and an offline sandbox.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, parents=[common])
        sub.set_defaults(command=command)
        return sub

    render = add("render", _render, "Make the film of a storyboard.")
    render.add_argument("board", metavar="BOARD", help="storyboard file (YAML), any fsspec path or URL")
    render.add_argument("--root", metavar="URL", help="where the files go, any fsspec URL (setting root)")
    render.add_argument("--name", help="of the film's folder, instead of the board's title")
    render.add_argument(
        "--sandbox", action="store_true", help="draw the clips in a private sandbox: no key, no cost"
    )
    render.add_argument("--scale", metavar="90P", help="with --sandbox: draw small, for a quick look")
    render.add_argument(
        "--budget",
        metavar="USD",
        type=_money,
        help="stop before the submit that would pass it (setting budget)",
    )
    render.add_argument(
        "--workers", metavar="N", type=_count, help="clips in flight at once (setting max_in_flight)"
    )
    render.add_argument(
        "--scheduler-url", metavar="URL", help="Luigi's central scheduler; without it, one in this process"
    )

    render.add_argument(
        "--partial",
        action="store_true",
        help="when shots are missing, also write a film with slates in the holes",
    )
    render.add_argument(
        "--retry-failed", action="store_true", help="pay once more for clips that failed for good"
    )

    plan = add("plan", _plan, "Show what a storyboard would make and cost. Nothing is paid.")
    plan.add_argument("board", metavar="BOARD", help="storyboard file (YAML), any fsspec path or URL")
    plan.add_argument("--root", metavar="URL", help="where the files are (setting root)")
    plan.add_argument("--name", help="of the film's folder, instead of the board's title")
    plan.add_argument("--json", action="store_true", help="for machines")

    timeline = add("timeline", _timeline, "Write the cut of a board as an OpenTimelineIO file (extra otio).")
    timeline.add_argument("board", metavar="BOARD", help="storyboard file (YAML), any fsspec path or URL")
    timeline.add_argument("out", metavar="FILE.otio", help="local file to write")
    timeline.add_argument("--root", metavar="URL", help="where the files are (setting root)")

    root_help = "where the files are (setting root)"
    resolve = add("resolve", _resolve, "Settle a clip whose submit is in doubt.")
    resolve.add_argument("key", metavar="KEY", help="the clip's key, as the message gave it")
    resolve.add_argument("--root", metavar="URL", help=root_help)
    way = resolve.add_mutually_exclusive_group(required=True)
    way.add_argument("--task-id", metavar="ID", help="the task that was accepted; nothing is paid")
    way.add_argument(
        "--resubmit", action="store_true", help="certainly nothing was accepted: pay in the next run"
    )

    resume = add(
        "resume", _resume, "Finish every clip that is paid for. Needs the root alone; nothing is paid."
    )
    resume.add_argument("--root", metavar="URL", help=root_help)
    resume.add_argument(
        "--verify", action="store_true", help="decode every clip first, and fetch again what is damaged"
    )

    ledger = add("ledger", _ledger, "Show what was spent, on what, per day.")
    ledger.add_argument("--root", metavar="URL", help=root_help)
    ledger.add_argument("--json", action="store_true", help="for machines")

    receive = add("receive", _receive, "Receive callbacks: answers the challenge and stores what arrives.")
    receive.add_argument("--root", metavar="URL", help=root_help)
    receive.add_argument("--host", default="127.0.0.1")
    receive.add_argument("--port", type=int, default=0, help="0 takes a free one")

    sandbox = add("sandbox", _sandbox, "Serve the video API offline until stopped.")
    sandbox.add_argument("--host", default="127.0.0.1")
    sandbox.add_argument("--port", type=int, default=0, help="0 takes a free one")
    sandbox.add_argument("--latency", type=float, metavar="SECONDS", help="how long a clip takes to be ready")
    sandbox.add_argument("--scale", metavar="90P", help="draw small; reported sizes stay true")
    sandbox.add_argument("--rpm", type=_count, metavar="N", help="submits a minute before 1002")
    sandbox.add_argument("--faults", metavar="FILE", help="faults to inject (YAML)")
    sandbox.add_argument("--key", help="the only API key that is accepted")
    sandbox.add_argument("--state", metavar="FOLDER", help="keep the tasks here, over restarts")

    for name, text in (
        ("models", "List models with modes, sizes and prices."),
        ("cameras", "List the camera instructions."),
        ("transitions", "List the transitions that `cut` takes."),
        ("templates", "List the service's video templates."),
        ("errors", "List the service's error codes, and what becomes of a request answered so."),
    ):
        add(name, _catalogue, text).add_argument("--json", action="store_true", help="for machines")
        commands.choices[name].set_defaults(table=name)

    luigi = add("luigi", _luigi, "The luigi command line, run by a worker that keeps many clips in flight.")
    luigi.add_argument("words", nargs=argparse.REMAINDER, help="what you would give to luigi")
    return parser


def _render(options: argparse.Namespace) -> int:
    from minimax_tasks.commands.render import render

    return render(
        options.board,
        root=options.root,
        name=options.name,
        sandbox=options.sandbox,
        scale=options.scale,
        budget=options.budget,
        workers=options.workers,
        partial=options.partial,
        retry_failed=options.retry_failed,
        scheduler_url=options.scheduler_url,
        console=standard_output(),
        errors=standard_error(),
    )


def _plan(options: argparse.Namespace) -> int:
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.clips.state import clip_states
    from minimax_tasks.console.plan import all_problems, grouped_warnings, plan_json, plan_table, why_lines
    from minimax_tasks.settings import Settings
    from minimax_tasks.storyboard.film import check_film_is_own, why_to_make
    from minimax_tasks.storyboard.planning.make import make_plan

    settings = Settings.load(root=options.root)
    storage = open_root(settings.root)
    plan = make_plan(options.board, root=settings.root, language=settings.bracket_language)
    plan = replace(plan, name=options.name or "")
    check_film_is_own(storage, plan)
    states = clip_states(storage, [segment.key for segment in plan.segments])
    why = why_to_make(storage, plan, states)
    if options.json:
        _say(json_text(plan_json(plan, states, why)))
        return DONE
    console = standard_output()
    console.print(plan_table(plan, states))
    for line in why_lines(plan, why):
        console.sentence(line, "cyan")
    for warning in grouped_warnings(plan, states):
        console.sentence(f"warning: {warning}", "yellow")
    for problem in all_problems(plan, states):
        console.whole(problem, "red")
    return DONE


def _timeline(options: argparse.Namespace) -> int:
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.settings import Settings
    from minimax_tasks.storyboard.exports.otio import check_out, write_timeline
    from minimax_tasks.storyboard.planning.make import make_plan

    check_out(options.out)
    settings = Settings.load(root=options.root)
    storage = open_root(settings.root)
    plan = make_plan(options.board, root=settings.root, language=settings.bracket_language)
    missing = write_timeline(storage, plan, options.out)
    _say(f"timeline: {options.out}")
    if missing:
        _tell(f"not made or not readable, so left out: {', '.join(missing)}")
    return FAILED if missing else DONE


def _resolve(options: argparse.Namespace) -> int:
    from minimax_tasks.clips.resolve import adopt, allow_resubmit, find_clip
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.clips.service import Service
    from minimax_tasks.settings import Settings

    settings = Settings.load(root=options.root)
    folder = find_clip(open_root(settings.root), options.key)

    async def settle() -> None:
        if options.resubmit:
            await allow_resubmit(folder)
            _say(f"clip {folder.key}: the next run submits it again")
        else:
            async with Service(settings) as service:
                state = await adopt(folder, options.task_id, service)
            what = (await folder.claimed((await folder.standing()).claims)).get("what", "?")
            _say(
                f"clip {folder.key} ({what}) is task {options.task_id} ({state}); the next run goes on with it"
            )

    asyncio.run(settle())
    return DONE


def _resume(options: argparse.Namespace) -> int:
    from minimax_tasks import DownloadVideo, build
    from minimax_tasks.clips.ledger import late_payments
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.clips.state import clip_states, resolve_command
    from minimax_tasks.clips.unfinished import damaged, in_doubt, unfinished
    from minimax_tasks.settings import Settings

    settings = Settings.load(root=options.root)
    root = open_root(settings.root)
    broken = asyncio.run(damaged(root)) if options.verify else {}
    for key, why in broken.items():
        _tell(f"damaged, so fetched again: {key}: {why}")
    keys = asyncio.run(unfinished(root))
    tasks = [DownloadVideo(request=key, root=settings.root) for key in keys]
    done = build(tasks, log_level="CRITICAL") if tasks else True
    missing = [task.key for task in tasks if not task.complete()]
    _say(f"{len(keys)} paid clips were unfinished, {len(keys) - len(missing)} are finished now")
    for key, state in clip_states(root, missing).items():
        _tell(f"not finished: {key}: {state.status}" + (f": {state.reason}" if state.reason else ""))
    for late in late_payments(root):
        _tell(
            f"clip {late.key}: task {late.task_id} was accepted late, after another attempt had taken its place; "
            "it is paid for, and its video is not used"
        )
    doubts = in_doubt(root)
    for key in doubts:
        command = resolve_command(root, key)
        _tell(f"in doubt, may have been paid: {key}. Settle it with {command} --task-id ID, or --resubmit")
    return DONE if done and not missing and not doubts else FAILED


def _ledger(options: argparse.Namespace) -> int:
    from minimax_tasks.clips.ledger import payments
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.console.ledger import is_drawn, ledger_json, ledger_table, with_purposes
    from minimax_tasks.settings import Settings

    root = open_root(Settings.load(root=options.root).root)
    found, drawn = with_purposes(root, payments(root)), is_drawn(root)
    if options.json:
        _say(json_text(ledger_json(found, drawn=drawn)))
    else:
        console = standard_output()
        console.print(ledger_table(found, drawn=drawn, width=console.width))
    return DONE


def _receive(options: argparse.Namespace) -> int:
    from minimax_tasks.commands.receive import serve
    from minimax_tasks.settings import Settings

    serve(Settings.load(root=options.root).root, options.host, options.port)
    return DONE


def _sandbox(options: argparse.Namespace) -> int:
    from minimax_tasks.sandbox.server import serve

    given = {
        name: getattr(options, name)
        for name in ("latency", "scale", "rpm", "faults", "key", "state")
        if getattr(options, name) is not None
    }
    serve(options.host, options.port, **given)
    return DONE


def _catalogue(options: argparse.Namespace) -> int:
    from minimax_tasks.console import catalogue

    tables: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "models": (catalogue.models_json, catalogue.models_table),
        "cameras": (catalogue.cameras_json, catalogue.cameras_table),
        "transitions": (catalogue.transitions_json, catalogue.transitions_table),
        "templates": (catalogue.templates_json, catalogue.templates_table),
        "errors": (catalogue.errors_json, catalogue.errors_table),
    }
    as_json, as_table = tables[options.table]
    if options.json:
        _say(json_text(as_json()))
    else:
        standard_output().print(as_table())
    return DONE


def _luigi(options: argparse.Namespace) -> int:
    import luigi
    from luigi.parameter import ParameterException
    from luigi.task_register import TaskClassException

    from minimax_tasks import register_tasks
    from minimax_tasks.settings import Settings
    from minimax_tasks.tasks.build import in_flight_factory
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
        result = luigi.run(words, worker_scheduler_factory=in_flight_factory(), detailed_summary=True)
    except (ParameterException, TaskClassException, ImportError) as error:
        _tell(str(error))
        return BAD_INPUT
    finally:
        restore()
    return DONE if result.scheduling_succeeded and result.status.name.startswith("SUCCESS") else FAILED


def _own_lock(words: list[str]) -> list[str]:
    """A folder of one's own for Luigi's lock, where that of everybody belongs to another user."""
    usual = os.path.join(tempfile.gettempdir(), "luigi")
    if any(word.split("=")[0] in ("--lock-pid-dir", "--no-lock") for word in words):
        return []
    if not os.path.isdir(usual) or os.access(usual, os.W_OK):
        return []
    return ["--lock-pid-dir", f"{usual}-{os.getuid() if hasattr(os, 'getuid') else 'own'}"]


def _money(text: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if 0 <= value < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text!r}; allowed: an amount of USD, 0 or more")


def _count(text: str) -> int:
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}; allowed: a whole number, 1 or more")


def _say(text: str) -> None:
    standard_output().whole(text)


def _tell(text: str) -> None:
    standard_error().whole(text)


if __name__ == "__main__":
    sys.exit(main())
