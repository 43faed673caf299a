"""One film of a board: under which name, and in which shape. The same clips may be delivered in several."""

from dataclasses import replace

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.redaction import quoted
from minimax_tasks.storyboard.board_picture import read_aspect
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.shapes import unlike_film
from minimax_tasks.storyboard.words import burnt_language, check_burnt_captions
from minimax_tasks.video.shape import is_alike


def delivered(
    plan: Plan, *, name: str | None = None, aspect: str | None = None, burnt: str | None = None
) -> Plan:
    """The plan of a film of its own: named, of another shape than the board's if `aspect` says so.

    `burnt` is the language of captions in its pictures, "" for the first of the board, None for what the board says.

    Raises `ConfigurationError` for something that is no shape, `BoardError` for captions that cannot be burnt in.
    """
    asked = replace(plan, name=name or "", captioned=burnt)
    is_its_own = plan.board.captions is not None and burnt_language(asked) == burnt_language(plan)
    plan = replace(asked, captioned=None) if is_its_own else asked
    check_burnt_captions(plan)
    if not aspect:
        return plan
    try:
        wanted = read_aspect(aspect)
    except ValueError as error:
        raise ConfigurationError(f"aspect = {quoted(aspect)}; allowed: {error!s}") from None
    own = plan.shape.aspect
    if own is not None and is_alike(own, wanted):
        return plan
    plan = replace(plan, aspect=aspect.strip())
    shapes = {shot.shot.id: shot.shape for shot in plan.shown if shot.shape is not None}
    of_shape = tuple(unlike_film(shapes, plan.shape))
    others = tuple(warning for warning in plan.warnings if warning not in plan.of_shape)
    return replace(plan, of_shape=of_shape, warnings=(*of_shape, *others))
