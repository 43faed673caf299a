"""Which templates may be rendered right here, and what stops the others.

Jinja is a programming language: a line of a board can loop for hours, or ask for a text of many gigabytes.
A template that is made of nothing but values in sentences, conditions, the camera macros and a loop over a
value costs no more than its length times its values. Nearly all are, and they are rendered in this process;
the list below says what they may have in them. Whatever else a template does goes to a process of its own
(`confined`), which is ended when it takes too long or too much memory: what runs inside one operation of C
(`9 ** 9 ** 9`) cannot be ended in any other way.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2 import Environment, nodes

from minimax_tasks.errors import ControlFlow

LONGEST_SOURCE = 50_000
"""Characters of a template or a prompt as it is written; the rendered one has 2,000 at most."""

LONGEST_RENDERED = 50_000
"""Characters after which rendering stops."""

_MOST_LOOPED = 5_000
"""Characters of all values together that a loop may go over without being watched."""

_EASY_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Test, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Call, nodes.Keyword, nodes.Concat, nodes.FromImport, nodes.For, nodes.List, nodes.Tuple,
)  # fmt: skip
_EASY_FILTERS = {
    "capitalize", "count", "d", "default", "end_sentence", "first", "last", "length", "list", "lower",
    "phrase", "sentence", "string", "title", "trim", "upper",
}  # fmt: skip
_EASY_TESTS = {
    "boolean", "defined", "eq", "equalto", "false", "in", "iterable", "lower", "mapping", "ne", "none", "number",
    "sequence", "string", "true", "undefined", "upper",
}  # fmt: skip
_LONGEST_JOINT = 20


@functools.lru_cache(maxsize=1024)
def is_easy(env: Environment, source: str, macros: frozenset[str], *, looped: int) -> bool:
    """Whether rendering this source costs no more than its length and its values say.

    `macros` are the names that may be called, `looped` is `size_of` the values. Raises Jinja's
    `TemplateSyntaxError`.
    """
    tree = env.parse(source)
    return all(_is_easy(node, macros, looped) for node in _walk(tree))


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())


def _is_easy(node: nodes.Node, macros: frozenset[str], looped: int) -> bool:
    match node:
        case nodes.Filter(name="join"):
            joint = node.args[0] if node.args else nodes.Const("")
            plain = len(node.args) <= 1 and not node.kwargs and isinstance(joint, nodes.Const)
            return plain and len(str(joint.value)) <= _LONGEST_JOINT  # type: ignore[attr-defined]
        case nodes.Filter():
            return node.name in _EASY_FILTERS
        case nodes.Test():
            return node.name in _EASY_TESTS
        case nodes.Call():
            called = node.node
            return isinstance(called, nodes.Name) and called.name in macros and not node.dyn_kwargs
        case nodes.FromImport():
            return isinstance(node.template, nodes.Const) and node.template.value == "camera.j2"
        case nodes.For():
            nested = any(isinstance(inner, nodes.For) for part in node.body for inner in _walk(part))
            return not nested and not node.recursive and looped <= _MOST_LOOPED
    return isinstance(node, _EASY_NODES)


def size_of(values: Iterable[object]) -> int:
    """About how many characters the values have, counted up to what matters."""
    waiting, size = list(values), 0
    while waiting and size <= _MOST_LOOPED:
        value = waiting.pop()
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, Mapping):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple):
            size += len(value)
            waiting += value
        else:
            size += 1
    return min(size, _MOST_LOOPED + 1)


class TooMuch(ControlFlow):
    """A template asks for more than any prompt needs; the message names the limit."""


def check_size(value: Any) -> Any:
    """The value itself. Raises `TooMuch` for a number or a text that only a bomb asks for."""
    if isinstance(value, int) and value.bit_length() > 64:
        raise TooMuch("a number of more than 64 bits")
    if isinstance(value, str | list | tuple | range) and len(value) > LONGEST_RENDERED:
        raise TooMuch(f"a value of more than {LONGEST_RENDERED:,} characters or items")
    return value


def collected(pieces: Iterable[str]) -> str:
    """The pieces of a rendered text as one. Raises `TooMuch` when there are more than any prompt has."""
    text, length = [], 0
    for piece in pieces:
        text.append(piece)
        length += len(piece)
        if length > LONGEST_RENDERED:
            raise TooMuch(f"it renders more than {LONGEST_RENDERED:,} characters")
    return "".join(text)
