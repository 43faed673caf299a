"""What is written into the pictures of a film: its titles, and its captions where they are asked for."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

from minimax_tasks.errors import BoardError
from minimax_tasks.storyboard.board_titles import Title
from minimax_tasks.storyboard.board_words import by_language
from minimax_tasks.storyboard.captions import captions_of
from minimax_tasks.storyboard.edit import Edit
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.title_cuts import TitleCut
from minimax_tasks.video.overlays import Leaf, Overlay

TITLE_RISE = 0.014
"""How far a title rises while it appears, in parts of the height of the film."""


def check_burnt_captions(plan: Plan) -> None:
    """Raise `BoardError` when captions cannot be written into the pictures. Nothing is paid before."""
    from minimax_tasks.video.lettering.faces import Face, missing_letters

    if plan.burnt is None:
        return
    spoken = [(shot, by_language(shot.shot.dialogue)) for shot in plan.shown]
    languages = list(dict.fromkeys(name for _, found in spoken for name in found))
    if not languages:
        raise BoardError([f"{plan.path}: there is no `dialogue` to burn in as captions"])
    if burnt_language(plan) not in languages:
        named = ", ".join(filter(None, languages)) or "one language, which the board does not name"
        raise BoardError(
            [f"{plan.path}: captions in {plan.burnt!r} cannot be burnt in; `dialogue` has {named}"]
        )
    problems = []
    for shot, found in spoken:
        text = " ".join(line.text for line in found.get(burnt_language(plan), ()))
        if why := missing_letters(" ".join(text.split()), Face.SEMIBOLD):
            problems.append(f"{plan.path}:{shot.line}: shot {shot.shot.id}: dialogue: {why}")
    if problems:
        raise BoardError(problems)


def burnt_language(plan: Plan) -> str:
    """The language whose captions are burnt in: the one that is asked for, or else the first of the board."""
    if plan.burnt:
        return plan.burnt
    return next((name for shot in plan.shown for name in by_language(shot.shot.dialogue)), "")


def overlays_of(plan: Plan, edit: Edit) -> list[Overlay]:
    """All that lies over the pictures of a film, titles first. Cards are shots of their own."""
    captions = list(_captions(plan, edit)) if plan.burnt is not None else []
    titles = [_title(edit, one, captions) for one in edit.titles if not one.title.is_card]
    return [*titles, *captions]


def _title(edit: Edit, one: TitleCut, captions: list[Overlay]) -> Overlay:
    begins, ends = edit.frames(one.starts_at), edit.frames(one.ends_at)
    fade = min(edit.frames(Fraction(str(one.title.fade))), max(0, (ends - begins) // 2))
    above = any(caption.begins < ends and caption.ends > begins for caption in captions)
    draw = partial(_drawn_title, one.title, above)
    return Overlay(begins, ends, draw, f"the title of Shot {one.shot}", fade, fade, TITLE_RISE)


def _drawn_title(title: Title, above_captions: bool, size: tuple[int, int]) -> list[Leaf]:
    from minimax_tasks.video.lettering.looks import Words, draw_title

    words = Words(title.text, title.subtitle or "")
    return [Leaf(draw_title(words, title.look, size, above_captions=above_captions))]


def _captions(plan: Plan, edit: Edit) -> Iterator[Overlay]:
    from minimax_tasks.video.lettering.captions import caption_leaves

    for one in captions_of(plan, edit).get(burnt_language(plan), ()):
        begins, ends = edit.frames(one.starts_at), edit.frames(one.ends_at)
        if begins < ends:
            yield Overlay(begins, ends, partial(caption_leaves, one.text), "captions")
