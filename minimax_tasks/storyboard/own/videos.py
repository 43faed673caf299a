"""The videos of what is not generated, for a film of the size and rate of its other clips."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fractions import Fraction

from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.edit import ClipLength, film_rate
from minimax_tasks.storyboard.own.own_clip import FRAME_LINES, DrawnClip, OwnClip
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.video.rates import DEFAULT_FPS
from minimax_tasks.video.shape import Size, with_lines


@contextmanager
def own_videos(root: Storage, plan: Plan, clips: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Local paths of the videos of all own clips that a film shows, by key; what is drawn is drawn where it is not yet.

    `clips` has those of its other clips. Raises `VideoError`.
    """
    shown = _shown(plan)
    with ExitStack() as stack:
        found = {
            own.key: stack.enter_context(own.file(root, own.shape or (0, 0), DEFAULT_FPS))
            for own in shown
            if not isinstance(own, DrawnClip)
        }
        drawn = [own for own in shown if own.key not in found]
        if drawn:
            size, rate = film_shape(plan, {**clips, **found})
            found |= {own.key: stack.enter_context(own.file(root, size, rate)) for own in drawn}
        yield found


def film_shape(plan: Plan, clips: Mapping[str, str]) -> tuple[Size, Fraction]:
    """The size, in even pixels, and the rate of the film that these clips make: local paths by key.

    Raises `VideoError` for a clip that cannot be read.
    """
    from minimax_tasks.video.stream_layout import read_layouts

    keys = [shot.key for shot in plan.shown if shot.key in clips]
    once = list(dict.fromkeys(keys))
    layouts = dict(zip(once, read_layouts([clips[key] for key in once]), strict=True))
    drawn = next((own for own in _shown(plan) if isinstance(own, DrawnClip)), None)
    alone = with_lines(drawn.film_shape, FRAME_LINES) if drawn else (2, 2)
    size = plan.shape.size_for([layouts[key].size for key in keys] or [alone])
    lengths = [ClipLength(layouts[key].seconds, layouts[key].fps, layouts[key].frames) for key in keys]
    return size, film_rate(lengths) or DEFAULT_FPS


def _shown(plan: Plan) -> list[OwnClip]:
    return list({shot.own.key: shot.own for shot in plan.shown if shot.own is not None}.values())
