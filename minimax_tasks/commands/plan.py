"""What a storyboard would make and cost."""

import argparse

from minimax_tasks.commands.deliveries import add_delivery_options, asked_plan
from minimax_tasks.commands.exit_codes import DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("board", metavar="BOARD", help="storyboard file (YAML), any fsspec path or URL")
    parser.add_argument("--root", metavar="URL", help="where the files are (setting root)")
    add_delivery_options(parser)
    parser.add_argument("--json", action="store_true", help="for machines")


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from minimax_tasks.clips.root import open_root
    from minimax_tasks.clips.state import clip_states
    from minimax_tasks.console.messages import problems_of
    from minimax_tasks.console.output import standard_output
    from minimax_tasks.console.plan import all_problems, grouped_warnings, plan_json, plan_table, why_lines
    from minimax_tasks.console.streams import say_json
    from minimax_tasks.settings import Settings
    from minimax_tasks.storyboard.film import check_film_is_own, why_to_make
    from minimax_tasks.storyboard.lengths import known_lengths

    settings = Settings.load(root=options.root)
    storage = open_root(settings.root)
    plan = asked_plan(options, settings)
    check_film_is_own(storage, plan)
    states = clip_states(storage, [segment.key for segment in plan.segments])
    why, problems = why_to_make(storage, plan, states), problems_of(storage.url, states)
    lengths = known_lengths(storage, plan, states)
    if options.json:
        say_json(plan_json(plan, states, lengths, why, problems))
        return DONE
    console = standard_output()
    console.print(plan_table(plan, states, lengths))
    for line in why_lines(plan, why):
        console.sentence(line, "cyan")
    for warning in grouped_warnings(plan, states):
        console.warn(warning)
    for problem in all_problems(plan, states, problems):
        console.whole(problem, "red")
    return DONE
