"""The commands. Exit codes: 0 done; 1 something failed while running; 2 bad input, nothing paid."""

import argparse
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console

from minimax_tasks.api.errors import BoardError, ConfigurationError, InvalidRequest, MiniMaxError

DONE, FAILED, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    _set_up_logging(options)
    try:
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
    render.add_argument(
        "--sandbox", action="store_true", help="draw the clips in a private sandbox: no key, no cost"
    )
    render.add_argument("--scale", metavar="90P", help="with --sandbox: draw small, for a quick look")
    render.add_argument(
        "--budget", metavar="USD", type=_money, help="refuse to start when it would cost more"
    )
    render.add_argument(
        "--workers", metavar="N", type=_count, help="clips in flight at once (setting max_in_flight)"
    )
    render.add_argument(
        "--scheduler-url", metavar="URL", help="Luigi's central scheduler; without it, one in this process"
    )

    plan = add("plan", _plan, "Show what a storyboard would make and cost. Nothing is paid.")
    plan.add_argument("board", metavar="BOARD", help="storyboard file (YAML), any fsspec path or URL")
    plan.add_argument("--root", metavar="URL", help="where the files are (setting root)")
    plan.add_argument("--json", action="store_true", help="for machines")

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
        ("templates", "List the service's video templates."),
    ):
        add(name, _catalogue, text).add_argument("--json", action="store_true", help="for machines")
        commands.choices[name].set_defaults(table=name)

    luigi = add("luigi", _luigi, "The luigi command line, run by a worker that keeps many clips in flight.")
    luigi.add_argument("words", nargs=argparse.REMAINDER, help="what you would give to luigi")
    return parser


def _render(options: argparse.Namespace) -> int:
    from minimax_tasks.render import render

    return render(
        options.board,
        root=options.root,
        sandbox=options.sandbox,
        scale=options.scale,
        budget=options.budget,
        workers=options.workers,
        scheduler_url=options.scheduler_url,
        console=Console(),
        errors=_console(),
    )


def _plan(options: argparse.Namespace) -> int:
    from minimax_tasks.console.plan import plan_json, plan_table
    from minimax_tasks.settings import Settings
    from minimax_tasks.storage.files import Storage
    from minimax_tasks.storyboard.plan import make_plan
    from minimax_tasks.storyboard.standing import look_up

    settings = Settings.load(root=options.root)
    plan = make_plan(options.board, root=settings.root, language=settings.bracket_language)
    states = look_up(Storage(settings.root), [segment.key for segment in plan.segments])
    if options.json:
        print(json.dumps(plan_json(plan, states), ensure_ascii=False, indent=2))  # noqa: T201
        return DONE
    console = Console()
    console.print(plan_table(plan, states))
    for warning in plan_json(plan, states)["warnings"]:
        console.print(f"warning: {warning}", style="yellow", markup=False, highlight=False)
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
        "templates": (catalogue.templates_json, catalogue.templates_table),
    }
    as_json, as_table = tables[options.table]
    if options.json:
        print(json.dumps(as_json(), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        Console().print(as_table())
    return DONE


def _luigi(options: argparse.Namespace) -> int:
    import luigi
    from luigi.parameter import ParameterException
    from luigi.task_register import TaskClassException

    from minimax_tasks.settings import Settings
    from minimax_tasks.tasks.building import in_flight_factory

    words = list(options.words)
    if not any(word.split("=")[0] == "--module" for word in words):
        words = ["--module", "minimax_tasks", *words]
    if not any(word.split("=")[0] == "--workers" for word in words):
        words += ["--workers", str(Settings.load().max_in_flight)]
    try:
        result = luigi.run(words, worker_scheduler_factory=in_flight_factory(), detailed_summary=True)
    except (ParameterException, TaskClassException, ImportError) as error:
        _tell(str(error))
        return BAD_INPUT
    return DONE if result.scheduling_succeeded and result.status.name.startswith("SUCCESS") else FAILED


def _money(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError("an amount of USD, 0 or more")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a whole number, 1 or more")
    return value


def _console() -> Console:
    return Console(stderr=True)


def _tell(text: str) -> None:
    _console().print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
