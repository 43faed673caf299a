"""Reading a YAML file into plain values, with the line that each value stands in."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]
"""Where a value stands: `("shots", 2, "camera")`."""

_MOST_NODES = 200_000


@dataclass(frozen=True)
class Document:
    """The values of a file and their places. `problems` has what the YAML itself got wrong."""

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    """The text as it was written, for scalars that YAML did not read as text."""
    problems: tuple[tuple[int, str], ...] = ()

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


_STRAY = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not allow anywhere."""


def read_document(text: str) -> Document:
    """Read YAML (or JSON, which is YAML). Aliases and merge keys work; no tag can build an object."""
    stray = _STRAY.search(text)
    if stray:
        line = text.count("\n", 0, stray.start()) + 1
        what = f"the control character U+{ord(stray.group()):04X}, which comes along from other programs"
        return Document(None, problems=((line, f"there is {what}: write a space or a new line instead"),))
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        reading = _Reading(loader)
        value = reading.convert(node, ()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(filter(None, (error.context, error.problem)))
        why = "this is not YAML" + (", often because of the indentation" if _is_of_layout(error) else "")
        return Document(None, problems=((mark.line + 1 if mark else 1, f"{why}: {what}"),))
    except yaml.YAMLError as error:
        return Document(None, problems=((1, f"this is not YAML: {error}"),))
    finally:
        loader.dispose()
    return Document(value, reading.lines, reading.texts, tuple(reading.problems))


def _is_of_layout(error: yaml.MarkedYAMLError) -> bool:
    """Whether a text that is not YAML may be so for its layout, rather than for a tag or an alias."""
    return isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError)


class _Reading:
    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self._count = 0
        self.lines: dict[Path, int] = {}
        self.texts: dict[Path, str] = {}
        self.problems: list[tuple[int, str]] = []

    def convert(self, node: yaml.Node, path: Path) -> Any:
        self._count += 1
        if self._count > _MOST_NODES or len(path) > 50:
            raise yaml.YAMLError("the file is too large or too deep")
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.convert(item, (*path, index)) for index, item in enumerate(node.value)]
        value = self._loader.construct_object(node)
        if not isinstance(value, str):
            self.texts[path] = node.value
        elif stray := _STRAY.search(value):
            self.problems.append(
                (
                    node.start_mark.line + 1,
                    f"the control character U+{ord(stray.group()):04X} has no place in a text",
                )
            )
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        written = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        self._loader.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append((line, "a key must be a word"))
                continue
            key = key_node.value
            if written.count(key) > 1 and key in found:
                self.problems.append((line, f"the key {key!r} stands here twice; keep one of them"))
            found[key] = self.convert(value_node, (*path, key))
            self.lines[(*path, key)] = line
        return found
