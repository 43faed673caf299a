"""Luigi parameters for roots, references, pictures and requests.

What a parameter serializes to goes into logs, task ids and to the scheduler, which shows and keeps it. So it is a
name: passwords, signatures, the bytes of pictures and whole requests are left out there, and a few digits tell the
values apart. Between the processes of one worker the value travels beside its name (`Shown`).
"""

import functools
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import luigi

from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.kept_pictures import KeptPicture, given_picture
from minimax_tasks.clips.pictures import has_bytes
from minimax_tasks.clips.request import KEY, ClipRequest
from minimax_tasks.errors import ConfigurationError, InvalidRequest, UnreadableReference
from minimax_tasks.redaction import is_named, named
from minimax_tasks.storage.references import judge_root
from minimax_tasks.tasks.inputs import (
    given_text,
    input_of_name,
    name_of_input,
    path_of_target,
    refuse_markers,
)
from minimax_tasks.tasks.naming import request_words
from minimax_tasks.tasks.run import current_run
from minimax_tasks.tasks.shown import Shown


def _name_of(value: Any) -> str:
    """A reference as it may be shown, with the whole of it beside it where something is left out."""
    if (name := name_of_input(value)) is not None:
        return name
    if isinstance(value, KeptPicture):
        return str(value) if value.data is None else Shown(str(value), value)
    text = named(str(value))
    return text if text == value else Shown(text, value)


def _given(text: str) -> Any:
    """The value of a name: a reference, a picture, a task, or a file with a text."""
    found = input_of_name(text)
    return _whole(text) if found is None else found


def _whole(text: str) -> Any:
    """The reference of a name. What somebody copied out of a log, where a part of it is left out, is refused."""
    if isinstance(text, Shown):
        return text.whole
    if is_named(text):
        raise InvalidRequest(
            "reference", text, "the whole URL; this is how a log shows it, without its secret"
        )
    return text


def _path(value: Any) -> str:
    return str(refuse_markers(str(path if (path := path_of_target(value)) is not None else value)))


class ReferenceParameter(luigi.Parameter):
    """A path, an fsspec path or a URL; a path object, a target or a task will do."""

    def normalize(self, value: Any) -> Any:
        """The reference as text, or the task whose output it is."""
        return value if isinstance(value, luigi.Task) else _path(value)

    def serialize(self, value: Any) -> str:
        """The value as it may be shown."""
        return _name_of(value)

    def parse(self, text: str) -> Any:
        """The value as it was given."""
        return _given(text)

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """Path objects and targets are welcome."""


class OptionalUrlParameter(luigi.OptionalParameter):
    """A URL, or None."""

    def serialize(self, value: Any) -> str:
        """The value as it may be shown; empty for None."""
        return "" if value is None else _name_of(value)

    def parse(self, text: str) -> str | None:
        """The value as it was given; None when empty."""
        return _whole(text) or None


class RootParameter(luigi.Parameter):
    """Where the files go, any fsspec URL; left out, it is the setting `root`."""

    def __init__(self) -> None:
        super().__init__(default="", description="where the files go, any fsspec URL")

    def normalize(self, value: Any) -> str:
        """The URL without a slash at its end. Raises `ConfigurationError` where no files can be kept."""
        root = str(value or current_run().settings().root).rstrip("/") or "/"
        try:
            judge_root(root)
        except UnreadableReference as error:
            raise ConfigurationError(f"root = {named(root)!r} cannot be used: {error}") from None
        return root

    def serialize(self, value: Any) -> str:
        """The value as it may be shown."""
        return _name_of(value)

    def parse(self, text: str) -> str:
        """The value as it was given."""
        return str(_whole(text))


class TextParameter(luigi.Parameter):
    """A text; of a path object, a target or a task it is what the file says."""

    def normalize(self, value: Any) -> Any:
        """The text, or what holds it."""
        return refuse_markers(given_text(value))

    def serialize(self, value: Any) -> str:
        """The text, or the name of what holds it; empty for None."""
        return "" if value is None else name_of_input(value) or str(value)

    def parse(self, text: str) -> Any:
        """The value as it was given."""
        found = input_of_name(text)
        return text if found is None else found

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """Path objects, targets and tasks are welcome."""


class OptionalTextParameter(TextParameter):
    """`TextParameter`, or None."""

    def parse(self, text: str) -> Any:
        """The value as it was given; None when empty."""
        return super().parse(text) or None


class PictureParameter(luigi.Parameter):
    """A picture: http(s) URL, data URL, fsspec path or URL; a path object, a target or a task will do.

    Bytes, an image of Pillow and what `datasets` has for an image will do, too. They are kept under the root.
    """

    def normalize(self, value: Any) -> Any:
        """The reference as text, or the picture by its content; None for none."""
        given = given_picture(value)
        if given is None or given == "":
            return None
        return given if isinstance(given, KeptPicture | luigi.Task) else _path(given)

    def serialize(self, value: Any) -> str:
        """The value as it may be shown; empty for None."""
        return "" if value is None else _name_of(value)

    def parse(self, text: str) -> Any:
        """The value as it was given; None when empty."""
        return _given(text) or None

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """Path objects, targets and tasks are welcome."""


class PicturesParameter(PictureParameter):
    """One picture, or several of the same subject (on the command line a JSON list)."""

    def normalize(self, value: Any) -> Any:
        """One reference, or a tuple of them."""
        if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
            return tuple(super(PicturesParameter, self).normalize(item) for item in value)
        return super().normalize(value)

    def serialize(self, value: Any) -> str:
        """JSON for several."""
        if not isinstance(value, tuple):
            return super().serialize(value)
        names = [_name_of(item) for item in value]
        text = json.dumps(names, ensure_ascii=False)
        return Shown(text, tuple(names)) if any(isinstance(name, Shown) for name in names) else text

    def parse(self, text: str) -> Any:
        """JSON for several."""
        if isinstance(text, Shown) and isinstance(text.whole, tuple):
            return tuple(map(_given, text.whole))
        if isinstance(text, Shown) or not text.startswith("["):
            return super().parse(text)
        return tuple(map(_given, json.loads(text)))


class ReferencesParameter(PicturesParameter):
    """Any number of references (on the command line a JSON list)."""

    def normalize(self, value: Any) -> Any:
        """A tuple of references, of one as well."""
        found = super().normalize(value)
        return (found,) if isinstance(found, str | luigi.Task) else (found or ())


class RequestParameter(luigi.Parameter):
    """What is asked for: a `ClipRequest`, a request, its JSON, or the key of a clip that was submitted.

    Also a task whose clip it is, when that is known only once other tasks are complete.
    """

    def normalize(self, value: Any) -> Any:
        """JSON, the key, the name of a request that is kept under the root, or the task."""
        if isinstance(value, luigi.Task):
            return value
        if isinstance(value, ClipRequest):
            return value.to_json()
        if isinstance(value, AnyRequest):
            return ClipRequest(value).to_json()
        return value if isinstance(value, RequestByName) else str(value).strip()

    def serialize(self, value: Any) -> str:
        """The request's name; the request goes beside it."""
        if (name := name_of_input(value)) is not None:
            return name
        if isinstance(value, RequestByName):
            return value.name
        if KEY.fullmatch(value):
            return str(value)
        try:
            asked = read_request(value)
        except (InvalidRequest, RecursionError):
            return named(value[:1000])  # the task refuses it in a moment
        return Shown(f"{asked.words} · {asked.id}", value)

    def parse(self, text: str) -> Any:
        """The request, where it came beside its name; else what names it."""
        if (task := input_of_name(text)) is not None:
            return task
        if isinstance(text, Shown):
            return str(text.whole)
        found = _NAMED.fullmatch(text)
        return RequestByName(found["id"], text) if found else text

    def _warn_on_wrong_param_type(self, name: str, value: Any) -> None:
        """Requests are welcome as they are."""


_NAMED = re.compile(r"(?P<words>.+) · (?P<id>(asked-)?[0-9a-f]{32})", re.DOTALL)


class RequestByName(str):
    """The key of a clip, or what its request is kept under, with the name that it came with."""

    name: str

    def __new__(cls, id: str, name: str) -> "RequestByName":
        """What has this id, under the name that it came with."""
        made = super().__new__(cls, id)
        made.name = name
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return RequestByName, (str(self), self.name)

    @property
    def words(self) -> str:
        """The name without what tells it from others."""
        found = _NAMED.fullmatch(self.name)
        return found["words"] if found else self.name


@dataclass(frozen=True)
class AskedFor:
    """What the JSON of a request says, as far as a name needs it."""

    words: str
    id: str
    """The clip's key; where that takes reading a picture, one of the text."""
    is_clean: bool
    """Whether it may be written to a file: it holds no signature, password or picture."""


@functools.lru_cache(maxsize=4096)
def read_request(text: str) -> AskedFor:
    """Read a request's JSON. Raises `InvalidRequest`."""
    clip = ClipRequest.from_json(text)
    pictures = clip.request.pictures()
    unknown = [name for name, one in pictures.items() if has_bytes(one) and name not in clip.digests]
    digest = f"asked-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:32]}"
    references = (*pictures.values(), clip.request.callback_url or "")
    return AskedFor(
        words=request_words(clip.request, clip.take),
        id=digest if unknown else clip.key,
        is_clean=all(named(reference) == reference for reference in references),
    )
