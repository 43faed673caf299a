"""`minimax-tasks render`: board file in, film out."""

import argparse
import contextlib
import time

from minimax_tasks.clips.layout import FILM, REPORT, VIDEO, clip_file
from minimax_tasks.clips.root import (
    check_scale,
    check_shareable,
    check_writable,
    open_root,
    service_kind,
)
from minimax_tasks.clips.state import ClipState, ClipStatus, clip_states
from minimax_tasks.commands.deliveries import add_delivery_options
from minimax_tasks.commands.exit_codes import DONE, FAILED
from minimax_tasks.commands.runs import (
    add_run_options,
    check_key,
    check_root_lasts,
    check_scale_is_drawn,
    check_scheduler,
    current_run,
    drawn_at_once,
)
from minimax_tasks.console.messages import problems_of, worded
from minimax_tasks.console.output import Output, standard_error, standard_output
from minimax_tasks.console.plan import grouped_warnings, how_far, of_shots, plural, to_pay, why_lines
from minimax_tasks.console.price import Price
from minimax_tasks.console.progress import RenderProgress
from minimax_tasks.settings import Settings
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.delivery import delivered
from minimax_tasks.storyboard.film import (
    FilmMaker,
    check_film_is_own,
    film_folder,
    film_notes,
    take_film_folder,
    why_to_make,
)
from minimax_tasks.storyboard.plan import Plan, Segment
from minimax_tasks.tasks.build import build_run
from minimax_tasks.tasks.film import RenderStoryboard, hand_on, plan_board
from minimax_tasks.tasks.follow import following
from minimax_tasks.tasks.worker import on_sigterm

LOOKS, LOOK_PAUSE = 10, 0.3
"""How often, and how many seconds apart, a film that was just made is looked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("board", metavar="BOARD", help="storyboard file (YAML), any fsspec path or URL")
    parser.add_argument("--root", metavar="URL", help="where the files go, any fsspec URL (setting root)")
    add_delivery_options(parser)
    add_run_options(parser)
    parser.add_argument(
        "--partial",
        action="store_true",
        help="when shots are missing, also write a film with slates in the holes",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="pay once more for clips that failed for good"
    )


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    return render(
        options.board,
        root=options.root,
        name=options.name,
        aspect=options.aspect,
        sandbox=options.sandbox,
        scale=options.scale,
        budget=options.budget,
        workers=options.workers,
        partial=options.partial,
        burn_captions=options.burn_captions,
        retry_failed=options.retry_failed,
        scheduler_url=options.scheduler_url,
        console=standard_output(),
        errors=standard_error(),
    )


def render(
    board: str,
    *,
    root: str | None,
    name: str | None,
    aspect: str | None = None,
    sandbox: bool,
    scale: str | None,
    budget: float | None,
    workers: int | None,
    partial: bool,
    retry_failed: bool,
    scheduler_url: str | None,
    console: Output,
    errors: Output,
    burn_captions: str | None = None,
) -> int:
    """Make the film of a board and say where it is; returns the exit code.

    Raises `BoardError` and `ConfigurationError` before anything is paid.
    """
    settings = Settings.load(root=root, max_in_flight=workers, budget=budget)
    check_scale_is_drawn(scale, sandbox=sandbox)
    storage = open_root(settings.root)
    if not sandbox:
        check_root_lasts(storage, settings)
    planned = plan_board(board, settings.root)
    plan = delivered(planned, name=name, aspect=aspect, burnt=burn_captions)
    check_film_is_own(storage, plan)
    states = clip_states(storage, [segment.key for segment in plan.segments])
    price = to_pay(plan, states, retry_failed=retry_failed)
    _show(storage, plan, states, price, console)
    if scheduler_url is not None:
        check_shareable(storage)
        check_scheduler(scheduler_url)
    if price.clips and not sandbox:
        check_key(settings, "film", console)
    at_once = settings.max_in_flight
    if sandbox:
        at_once = drawn_at_once(settings.max_in_flight, console)
    if sandbox and price.clips:
        _tell_of_letters(plan, console)
    with contextlib.ExitStack() as stack:
        run = stack.enter_context(
            current_run(settings, at_once, sandbox=sandbox, scale=scale, retry_failed=retry_failed)
        )
        settings = run.settings()
        hand_on(planned, settings.root, run)
        check_writable(storage, settings.base_url)
        take_film_folder(storage, plan)
        if sandbox:
            check_scale(storage, scale)
        stack.callback(on_sigterm(KeyboardInterrupt()))
        paid = service_kind(settings.base_url) == "minimax"
        progress = stack.enter_context(RenderProgress(console, plan, states, paid=paid))
        stack.enter_context(following(progress))
        task = RenderStoryboard(
            storyboard=board, root=settings.root, name=name, aspect=aspect, burn_captions=burn_captions
        )
        done = build_run([task], run, scheduler_url=scheduler_url, log_level="CRITICAL")
    for name, problem in progress.failures.items():
        errors.whole(f"{name}: {problem}", "red")
    if not done:
        _report_missing_shots(storage, plan, progress, partial, console, errors)
        return FAILED
    if not _is_there(task):
        errors.whole(
            f"{film_folder(storage, plan)} does not hold what the board says now: it was edited, or another run "
            "made its film, while this one was under way; run it again"
        )
        return FAILED
    _tell_of_film(storage, plan, console)
    output = task.output()
    for name in ("film", "report"):
        console.whole(f"{name}: {output[name].path}")
    return DONE


def _is_there(task: RenderStoryboard) -> bool:
    """Whether the film is made. Another run of the same board may be publishing its own in this moment."""
    for _ in range(LOOKS):
        if task.complete():
            return True
        time.sleep(LOOK_PAUSE)
    return False


def _show(storage: Storage, plan: Plan, states: dict[str, ClipState], price: Price, console: Output) -> None:
    clips = len({segment.key for segment in plan.segments})
    console.whole(
        f"{plan.board.title}: {plural(len(plan.shots), 'shot')}, {plural(clips, 'clip')}; "
        f"{clips - price.clips} known already, {price.clips} to make ({price})",
    )
    for line in why_lines(plan, why_to_make(storage, plan, states)):
        console.sentence(line, "cyan")
    if plan.burnt is not None:
        spoken = [shot.shot.id for shot in plan.shown if shot.shot.dialogue]
        what = "the film is" if plan.captioned is None else "a second film,"
        console.sentence(f"{what} encoded again for the captions in {of_shots(spoken)}", "cyan")
    for text in grouped_warnings(plan, {}):
        console.warn(text)


def _tell_of_film(storage: Storage, plan: Plan, console: Output) -> None:
    """Say where the film is not what its clips are."""
    for note in film_notes(storage, plan):
        console.warn(note)


def _report_missing_shots(
    storage: Storage, plan: Plan, progress: RenderProgress, partial: bool, console: Output, errors: Output
) -> None:
    """Name the missing shots, write the report of what there is, and with `partial` a film with slates."""
    states = clip_states(storage, [segment.key for segment in plan.segments])
    generated = [shot for shot in plan.shown if shot.own is None]
    missing = [shot for shot in generated if states[shot.key].status is not ClipStatus.MADE]
    if not missing and _made_without_takes(storage, plan, states, progress, console, errors):
        return
    maker = FilmMaker(storage, plan)
    damaged = maker.damaged()
    if missing or damaged:
        bad = [shot for shot in generated if shot in missing or shot.key in damaged]
        named = [f"{shot.shot.id} ({_what_is_missing(shot.picked, states, damaged)})" for shot in bad]
        made = len(plan.shown) - len(bad)
        errors.whole(
            f"the film is not made: {made} of {len(plan.shown)} shots are there; missing: {', '.join(named)}"
        )
    else:
        errors.whole("all clips are ready, but joining the film failed (see above)")
    film = maker.make_partial(progress.problems | problems_of(storage.url, states), film=partial)
    if partial and not film:
        errors.whole("the partial film cannot be joined; the report says why", "red")
    report = storage.join(f"{film_folder(storage, plan)}/{REPORT}")
    for name, path in (("partial film", film), ("report", report)):
        if path:
            console.whole(f"{name}: {path}")


def _made_without_takes(
    storage: Storage,
    plan: Plan,
    states: dict[str, ClipState],
    progress: RenderProgress,
    console: Output,
    errors: Output,
) -> bool:
    """When every picked take is there and others are not: make the film, and name the takes that are missing."""
    from minimax_tasks.errors import VideoError

    missing = [segment for segment in plan.segments if states[segment.key].status is not ClipStatus.MADE]
    if not missing:
        return False
    try:
        FilmMaker(storage, plan).make(progress.problems | problems_of(storage.url, states))
    except VideoError as error:
        errors.whole(f"film: {worded(error)}", "red")
        return False
    names = ", ".join(f"{s.shot} take {s.take} ({states[s.key].status})" for s in missing)
    errors.whole(f"the film is made, but not: {names}")
    _tell_of_film(storage, plan, console)
    folder = film_folder(storage, plan)
    for what, name in (("film", FILM), ("report", REPORT)):
        console.whole(f"{what}: {storage.join(f'{folder}/{name}')}")
    return True


def _what_is_missing(segment: Segment, states: dict[str, ClipState], damaged: dict[str, str]) -> str:
    if segment.key in damaged:
        return f"{clip_file(segment.key, VIDEO)} cannot be read: {damaged[segment.key]}"
    return how_far(segment, states)


def _tell_of_letters(plan: Plan, console: Output) -> None:
    """Say once that drawn clips leave out letters for which this machine has no font."""
    from minimax_tasks.video.fonts import letters_without_font

    missing = letters_without_font("".join((plan.board.title, *(shot.prompt for shot in plan.shots))))
    if missing:
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        console.warn(
            f"no font of this machine has {shown}: drawn clips leave such letters out; "
            "install one, such as Noto Sans CJK (fonts-noto-cjk)",
        )
