"""Reading a YAML or JSON file into plain values, with the line of each value.

The values are put together here, from the events of PyYAML's parser or the tokens of JSON, without recursion and in
time that grows with the length of the file alone.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from minimax_tasks.errors import ControlFlow
from minimax_tasks.redaction import clean, whole

KeyPath = tuple[str | int, ...]
"""Where a value is: `("shots", 2, "camera")`."""

_MOST_NODES = 200_000
_DEEPEST = 50
_TOO_LARGE = (
    f"the file is too large: it has more than {_MOST_NODES:,} values, those of aliases counted each time"
)
_TOO_DEEP = f"lists and mappings are nested more than {_DEEPEST} deep"

_LONGEST_WORD = 40
"""Characters of a number, `true`, `null` and the like; anything longer is text."""

_RETRIED = 1_000_000
"""Characters of a file that the much slower Python parser reads again when the C parser refuses it."""


@dataclass(frozen=True)
class Document:
    """The values of a file and their places. `problems` has what the YAML itself got wrong."""

    value: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    texts: dict[KeyPath, str] = field(default_factory=dict)
    """The text as it was written, for scalars that YAML did not read as text."""
    problems: tuple[tuple[int, str], ...] = ()
    bare: frozenset[KeyPath] = frozenset()
    """Keys in `{…}` without a colon: what follows a comma that was meant as part of a text."""

    def line(self, path: KeyPath) -> int:
        """The line of a value, or of the nearest enclosing one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


_STRAY = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not allow anywhere."""


def read_document(text: str) -> Document:
    """Read YAML or JSON. Aliases and merge keys work; no tag can build an object.

    Numbers, `true` and the like are read as YAML 1.1 has them, but for dates, which are text. Half a character
    (`"\\ud83d"` alone) becomes U+FFFD, and U+007F, which nobody sees, goes.
    """
    root = _read_json(text)
    if root is None:
        stray = _STRAY.search(text)
        if stray:
            line = text.count("\n", 0, stray.start()) + 1
            what = f"the control character U+{ord(stray.group()):04X}, often pasted from another program"
            return Document(
                None, problems=((line, f"there is {what}: replace it with a space or a line break"),)
            )
    try:
        if root is None:
            root = _read_yaml(text)
        if root is None:
            return Document(None)
        reading = _Reading()
        value = reading.convert(root, ())
    except _Unreadable as error:
        return Document(None, problems=((error.line, error.text),))
    return Document(value, reading.lines, reading.texts, tuple(reading.problems), frozenset(reading.bare))


class _Unreadable(ControlFlow):
    """A file that cannot be read as YAML or JSON."""

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        self.text = text


@dataclass(eq=False, slots=True)
class _Node:
    """A value as written: `items` has those of a list, or alternating keys and values of a mapping."""

    line: int
    kind: str
    """"text" for text, "plain" for other scalars, "list", "map"."""
    text: str = ""
    value: Any = None
    items: "list[_Node]" = field(default_factory=list)
    is_bare: bool = False
    """No value, and not even a colon."""


# -- JSON

_TOKEN = re.compile(r'[\[{]|[\]}]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:\[\]{}"]+|\n')


def _read_json(text: str) -> _Node | None:
    """The file if it is a JSON object, otherwise None.

    Not all JSON is YAML: not tabs that indent, halves of a character (`\\ud83c\\udfac`), keys of over 1,024 letters.
    """
    if text.lstrip()[:1] != "{":
        return None
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None  # YAML in braces, or wrong, which YAML's parser explains better
    building = _Building()
    line = 1
    for token in _TOKEN.findall(text):
        if token == "\n":
            line += 1
        elif token in "[{":
            building.open(_Node(line, "list" if token == "[" else "map"))
        elif token in "]}":
            building.close()
        elif token.startswith('"'):
            building.add(_Node(line, "text", json.loads(token)))
        else:
            building.add(_scalar(token, _JSON_WORDS.get(token) or _number_tag(token), line))
    return building.root


_JSON_WORDS = {
    "true": "tag:yaml.org,2002:bool",
    "false": "tag:yaml.org,2002:bool",
    "null": "tag:yaml.org,2002:null",
}


def _number_tag(token: str) -> str:
    return f"tag:yaml.org,2002:{'int' if token.lstrip('-').isdecimal() else 'float'}"


# -- YAML


def _read_yaml(text: str) -> _Node | None:
    """Raises `_Unreadable`."""
    c_parser = getattr(yaml, "CSafeLoader", None)
    if c_parser is not None:
        try:
            return _compose(text, c_parser)
        except _Unreadable:
            # The other parser reports mistakes better, and accepts some texts that this one does not.
            if len(text) > _RETRIED:
                raise
    return _compose(text, yaml.SafeLoader)


def _compose(text: str, parser: Any) -> _Node | None:
    loader = parser(text)
    building = _Building()
    end = 0
    try:
        for event in _events(loader):
            line, start = event.start_mark.line + 1, event.start_mark.index
            before, end = end, event.end_mark.index
            match event:
                case yaml.ScalarEvent():
                    tag = _STR if event.tag == "!" else event.tag
                    if tag is None and len(event.value) <= _LONGEST_WORD:
                        tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
                    node = _scalar(event.value, tag or _STR, line)
                    node.is_bare = start == end and ":" not in text[before:start]
                    building.add(node, event.anchor)
                case yaml.AliasEvent():
                    building.add_alias(str(event.anchor), line)
                case yaml.SequenceStartEvent():
                    building.open(_Node(line, "list"), event.anchor)
                case yaml.MappingStartEvent():
                    building.open(_Node(line, "map"), event.anchor)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    building.close()
                case yaml.DocumentStartEvent() if building.root is not None:
                    raise _Unreadable(line, "a second document begins here (`---`); one file is one document")
        return building.root
    except _Unreadable:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and (advice := _text_without_quotes(text, error)):
            raise _Unreadable(mark.line + 1, advice) from None
        what = ", ".join(filter(None, (error.context, error.problem)))
        is_of_layout = isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError)
        why = "this is not YAML" + (", often because of the indentation" if is_of_layout else "")
        raise _Unreadable(mark.line + 1 if mark else 1, f"{why}: {clean(what, 300)}") from None
    # The parser is not ours, and a file can be anything.
    except Exception as error:
        raise _Unreadable(building.line, f"this is not YAML: {clean(error, 300)}") from None
    finally:
        loader.dispose()


_CUT_SHORT = re.compile(r"[,{-]?\s*(?P<key>[^\s:,{}\[\]-][^:,{}\[\]]*):\s+(?P<text>[^,{}\[\]\n]*)")


def _text_without_quotes(text: str, error: yaml.MarkedYAMLError) -> str:
    """What to write where a colon in a text was taken for a key's; "" where something else is wrong."""
    stated = str(error.problem)
    in_braces = stated.startswith("expected ',' or '}'") and stated.endswith("got ':'")
    if not (in_braces or stated.startswith("mapping values are not allowed")) or error.problem_mark is None:
        return ""
    lines = text.splitlines()
    number, column = error.problem_mark.line, error.problem_mark.column
    line = lines[number] if number < len(lines) else ""
    found = [piece for piece in _CUT_SHORT.finditer(line) if piece.start("key") < column < piece.end()]
    if not found:
        return ""
    key, value = found[-1]["key"].strip(), found[-1]["text"].strip()
    where = "inside {…} a colon" if in_braces else "a colon with a space behind it"
    written = clean(json.dumps(value, ensure_ascii=False), 200)
    return f"{clean(key, 60)}: {where} ends a text; write it in quotes: {clean(key, 60)}: {written}"


def _events(loader: Any) -> Iterator[Any]:
    while loader.check_event():
        yield loader.get_event()


_STR = "tag:yaml.org,2002:str"
_TEXTS = {_STR, "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value", "tag:yaml.org,2002:merge"}
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_PLAIN = {
    "tag:yaml.org,2002:int": _CONSTRUCTOR.construct_yaml_int,
    "tag:yaml.org,2002:float": _CONSTRUCTOR.construct_yaml_float,
    "tag:yaml.org,2002:bool": _CONSTRUCTOR.construct_yaml_bool,
    "tag:yaml.org,2002:null": _CONSTRUCTOR.construct_yaml_null,
}
MERGE = "<<"


def _scalar(text: str, tag: str, line: int) -> _Node:
    if tag in _TEXTS:
        return _Node(line, "merge" if tag.endswith(":merge") else "text", text)
    read = _PLAIN.get(tag)
    if read is None:
        shown = tag.replace("tag:yaml.org,2002:", "!!", 1)
        what = f"could not determine a constructor for the tag {clean(shown, 100)!r}"
        raise _Unreadable(line, f"this is not YAML: {what}; write the value without a tag")
    if len(text) > _LONGEST_WORD:
        return _Node(line, "text", text)
    try:
        return _Node(line, "plain", text, read(yaml.ScalarNode(tag, text)))
    except (ValueError, KeyError, OverflowError):
        return _Node(line, "text", text)


# -- both


class _Building:
    """Nests nodes as they arrive."""

    def __init__(self) -> None:
        self.root: _Node | None = None
        self.line = 1
        self._open: list[_Node] = []
        self._anchors: dict[str, _Node] = {}
        self._count = 0

    def add(self, node: _Node, anchor: str | None = None) -> None:
        self.line = node.line
        self._count += 1
        if self._count > _MOST_NODES:
            raise _Unreadable(node.line, _TOO_LARGE)
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].items.append(node)
        else:
            self.root = node

    def add_alias(self, name: str, line: int) -> None:
        if name not in self._anchors:
            raise _Unreadable(line, f"this is not YAML: found undefined alias {clean(name, 60)!r}")
        self.add(self._anchors[name])

    def open(self, node: _Node, anchor: str | None = None) -> None:
        self.add(node, anchor)
        self._open.append(node)
        if len(self._open) > _DEEPEST:
            raise _Unreadable(node.line, _TOO_DEEP)

    def close(self) -> None:
        self._open.pop()


class _Reading:
    """Turns nodes into values; each alias becomes a copy with its own place."""

    def __init__(self) -> None:
        self._count = 0
        self.lines: dict[KeyPath, int] = {}
        self.texts: dict[KeyPath, str] = {}
        self.bare: set[KeyPath] = set()
        self.problems: list[tuple[int, str]] = []

    def convert(self, node: _Node, path: KeyPath) -> Any:
        self._count_one(node)
        if len(path) > _DEEPEST:
            raise _Unreadable(node.line, _TOO_DEEP)
        self.lines[path] = node.line
        match node.kind:
            case "map":
                return self._mapping(node, path)
            case "list":
                return [self.convert(item, (*path, index)) for index, item in enumerate(node.items)]
            case "plain":
                self.texts[path] = node.text
                return node.value
        return self._text(node)

    def _text(self, node: _Node) -> str:
        value = whole(node.text).replace("\x7f", "")
        if stray := _STRAY.search(value):
            what = f"the control character U+{ord(stray.group()):04X} is not allowed in a text"
            self.problems.append((node.line, what))
        return value

    def _mapping(self, node: _Node, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own: set[str] = set()
        for key_node, value_node, is_own in self._pairs(node, 0):
            if key_node.kind in ("map", "list"):
                self.problems.append((key_node.line, "a key must be a word"))
                continue
            key = self._text(key_node)
            if key in own and is_own:
                what = f"the key {clean(key, 60)!r} stands here twice; keep one of them"
                self.problems.append((key_node.line, what))
            if is_own:
                own.add(key)
            found[key] = self.convert(value_node, (*path, key))
            if value_node.is_bare:
                self.bare.add((*path, key))
            self.lines[(*path, key)] = key_node.line
        return found

    def _pairs(self, node: _Node, depth: int) -> Iterator[tuple[_Node, _Node, bool]]:
        """Keys and values, those of merge keys (`<<: *other`) first, so that a mapping's own ones win."""
        if depth > _DEEPEST:
            raise _Unreadable(node.line, _TOO_DEEP)
        pairs = list(zip(node.items[::2], node.items[1::2], strict=True))
        for key, value in pairs:
            if key.kind != "merge":
                continue
            merged = value.items if value.kind == "list" else [value]
            for other in reversed(merged):
                if other.kind != "map":
                    raise _Unreadable(value.line, "`<<` takes a mapping, or a list of mappings")
                for inner_key, inner_value, _ in self._pairs(other, depth + 1):
                    self._count_one(inner_key)
                    yield inner_key, inner_value, False
        for key, value in pairs:
            if key.kind != "merge":
                yield key, value, True

    def _count_one(self, node: _Node) -> None:
        self._count += 1
        if self._count > _MOST_NODES:
            raise _Unreadable(node.line, _TOO_LARGE)
