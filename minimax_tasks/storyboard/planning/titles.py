"""The titles of a board, judged before anything is paid: their lengths, their times, and whether a font has them."""

from collections.abc import Iterator

from minimax_tasks.api.characters import forbidden_character
from minimax_tasks.redaction import quoted
from minimax_tasks.storyboard.board_titles import MOST_SUBTITLE, MOST_TEXT, Title, letters_in
from minimax_tasks.storyboard.planning.draft import Drafts
from minimax_tasks.storyboard.planning.problems import BoardProblems


def judge_titles(drafts: Drafts, problems: BoardProblems) -> None:
    """Note what is wrong with titles."""
    for draft in drafts:
        for title in draft.shot.title:
            for text in _wrong(title):
                problems.wrong(draft, "title", f"title: {text}")


def _wrong(title: Title) -> Iterator[str]:
    from minimax_tasks.video.lettering.faces import Face, missing_letters

    for key, text, most in (
        ("text", title.text, MOST_TEXT),
        ("subtitle", title.subtitle or "", MOST_SUBTITLE),
    ):
        letters = letters_in(text)
        line = " ".join(text.split())
        if letters > most:
            yield f"{key} has {letters} letters; allowed: at most {most} (a Chinese character counts as two)"
        elif character := forbidden_character(line):
            yield f"there is {character}, in its {key}; take it out"
        elif why := missing_letters(line, Face.REGULAR):
            yield f"{key}: {why}"
        elif key == "text" and not line:
            yield "text is empty"
    if title.is_card and (title.from_ is not None or title.to is not None):
        yield f"a card over {title.over} has `seconds`; `from` and `to` are of titles over a picture"
    elif not title.is_card and title.seconds is not None:
        yield "`seconds` is how long a card stays: write `over: black`, or `from` and `to` for one over the picture"
    elif title.to is not None and title.to <= (title.from_ or 0):
        yield f"to = {title.to:g}: that is not behind its `from`, {quoted(title.from_ or 0)}"
