"""The video API offline, served until stopped."""

import argparse

from minimax_tasks.commands.exit_codes import DONE
from minimax_tasks.commands.values import whole_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency", type=float, metavar="SECONDS", help="how long a clip takes to be ready")
    parser.add_argument("--scale", metavar="90P", help="draw small; reported sizes stay true")
    parser.add_argument("--rpm", type=whole_number, metavar="N", help="submits a minute before 1002")
    parser.add_argument(
        "--list-lag",
        type=float,
        metavar="SECONDS",
        help="when a task of the second generation is in its list",
    )
    parser.add_argument("--faults", metavar="FILE", help="faults to inject (YAML)")
    parser.add_argument("--key", help="the only API key that is accepted")
    parser.add_argument("--state", metavar="FOLDER", help="keep the tasks here, over restarts")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from minimax_tasks.errors import ConfigurationError
    from minimax_tasks.sandbox.server import serve

    given = {
        name: getattr(options, name)
        for name in ("latency", "scale", "rpm", "list_lag", "faults", "key", "state")
        if getattr(options, name) is not None
    }
    try:
        serve(options.host, options.port, **given)
    except ConfigurationError as error:
        if error.setting != "host" or not isinstance(error.__cause__, OSError):
            raise
        reason = error.__cause__.strerror or error.__cause__
        raise ConfigurationError(f"--host {options.host} --port {options.port}: {reason}") from None
    return DONE
