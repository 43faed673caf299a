"""The options that say which film of a board is meant: its name, its shape, the captions in its pictures."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minimax_tasks.settings import Settings
    from minimax_tasks.storyboard.plan import Plan


def add_delivery_options(parser: argparse.ArgumentParser) -> None:
    """The options, for every command that takes a board."""
    parser.add_argument("--name", help="of the film's folder, instead of the board's title")
    parser.add_argument(
        "--aspect",
        metavar="W:H",
        help="the same clips in another shape, such as 1:1 or 9:16, as a film of its own",
    )
    parser.add_argument(
        "--burn-captions",
        metavar="LANG",
        nargs="?",
        const="",
        type=_language,
        help="a second film with what is spoken written into the pictures: of one language, or the board's first; "
        "stands behind BOARD",
    )


def asked_plan(options: argparse.Namespace, settings: "Settings") -> "Plan":
    """The plan of the film that is meant. Raises `BoardError` and `ConfigurationError`."""
    from minimax_tasks.storyboard.delivery import delivered
    from minimax_tasks.storyboard.planning.make import make_plan

    plan = make_plan(options.board, root=settings.root, language=settings.bracket_language)
    return delivered(plan, name=options.name, aspect=options.aspect, burnt=options.burn_captions)


def _language(value: str) -> str:
    from minimax_tasks.storyboard.board_words import LANGUAGE

    if value and not LANGUAGE.fullmatch(value):
        raise argparse.ArgumentTypeError(
            f"{value!r} is no language such as en, zh or pt-BR; write BOARD --burn-captions, or --burn-captions=en"
        )
    return value
