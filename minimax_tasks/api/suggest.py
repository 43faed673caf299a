"""Did you mean …?"""

from collections.abc import Iterable
from difflib import get_close_matches

from minimax_tasks.api.catalog.synonyms import not_there, synonym


def suggest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None when none is near.

    One that means the same (`duration` for `seconds`) comes before one that is spelled alike, since letters
    alone lead from `image` to `dialogue`. Case does not matter.
    """
    names = list(known)
    by_fold = {name.casefold(): name for name in names}
    if word.casefold() in by_fold:
        return by_fold[word.casefold()]
    meant = synonym(word, names)
    if meant is not None:
        return meant
    if not_there(word):
        return None
    found = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(guess: str | None) -> str:
    """The half sentence that follows a misspelt word: `; did you mean 'seconds'?`, or "" without a guess."""
    return f"; did you mean {guess!r}?" if guess else ""
