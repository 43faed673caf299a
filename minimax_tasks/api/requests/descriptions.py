"""What the docs of fields say that depends on the models there are."""

from collections.abc import Iterable

from minimax_tasks.api.catalog.models import RATIOS, model_modes


def _listed(words: Iterable[object]) -> str:
    *head, tail = map(str, words)
    return f"{', '.join(head)} or {tail}" if head else tail


def describe_duration() -> str:
    """Its unit, and what it is when left out."""
    usual = sorted({row.default_seconds for row in model_modes()})
    return f"seconds, {_listed(usual)} when left out"


def describe_prompt() -> str:
    """How long it may be."""
    limits = sorted({row.prompt_limit for row in model_modes()})
    return f"at most {_listed(f'{limit:,}' for limit in limits)} characters"


def describe_resolution() -> str:
    """Those of all models."""
    found = sorted({(len(size.resolution), size.resolution) for row in model_modes() for size in row.sizes})
    return _listed(name for _, name in found)


def describe_ratio() -> str:
    """Those of all models that take one."""
    return f"shape of the clip, for models that take one: {_listed(RATIOS)}"


def describe_references(kind: str, words: str) -> str:
    """How many of a kind there may be; `kind` is a field of `ReferenceLimits`, `words` its name in the plural."""
    limits = [row.references for row in model_modes() if row.references is not None]
    return f"at most {max(getattr(each, kind) for each in limits)} {words}"
