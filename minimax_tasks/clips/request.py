"""A clip as it is asked for: the request, what its pictures are, and which take of it."""

import hashlib
import itertools
import json
import math
import re
from dataclasses import dataclass, field, replace
from typing import Any
from unicodedata import east_asian_width

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.requests import REQUESTS, AnyRequest
from minimax_tasks.errors import InvalidRequest, PictureError, UnreadableReference
from minimax_tasks.redaction import shown
from minimax_tasks.storage.references import kind_of

_FRAME = re.compile(r"clip:(?P<key>[0-9a-f]{32})#(?P<place>first|last|[0-9]{1,4}(\.[0-9]{1,6})?)")
KEY = re.compile(r"[0-9a-f]{32}")
PICTURE = "an http(s) URL, a data URL, or a path to a JPEG, PNG or WebP picture"
_SHA256 = re.compile(r"[0-9a-f]{64}")


NOTHING: dict[str, Any] = {}
"""Of a clip without pictures; one for all of them, since a large table has many. Nobody adds to it."""


@dataclass(frozen=True)
class FrameOf:
    """A frame of another clip: known by that clip's key and the place before the frame exists.

    `place` is "first", "last" or a number of seconds.
    """

    key: str
    place: str

    def __str__(self) -> str:
        return f"clip:{self.key}#{self.place}"

    @classmethod
    def parse(cls, reference: str) -> "FrameOf | None":
        """The frame that a picture reference names, or None when it names something else."""
        found = _FRAME.fullmatch(reference)
        return cls(found["key"], found["place"]) if found else None


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """A request with what its pictures are and the number of the take.

    Picture references in the request are http(s) URLs, data URLs, fsspec paths, or frames of other clips.
    `digests` has the SHA-256 of each picture that is a path or a data URL, so that the clip is known by
    its key although the picture may be gone. `sent` has the SHA-256 of what is sent of those that are not
    sent as they are, but turned, cropped, fitted or laid on white; None when nobody looked yet
    (`clips.pictures.known_clip` does). `shapes` has the shape, width and height, to which a first frame
    is cropped, because it continues from where another clip was made to end.

    `stored` is the key under which the clip is on storage when that is one of `older_keys`.
    """

    request: AnyRequest
    digests: dict[str, str] = field(default_factory=dict)
    take: int = 1
    sent: dict[str, str] | None = None
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    stored: str = ""
    purpose: str = field(default="", compare=False)
    """What it is for, in words for people: film, shot and take, or table and row. It is not part of the key."""

    def __post_init__(self) -> None:
        if self.take < 1:
            raise InvalidRequest("take", self.take, "1, 2, 3, …")
        for name, reference in self._files().items():
            check_reference(name, reference)

    @property
    def mode(self) -> Mode:
        """How the clip is asked for."""
        return self.request.mode

    @property
    def key(self) -> str:
        """32 hex digits made from what is sent (model, prompt, size, pictures) and the take.

        Requests that put the same on the wire have the same key, however they were written: what is left off
        the wire is not in it. The watermark is, although the client leaves it off on the global platform: a
        key says what is asked of whatever service, before it is known which. The address for callbacks
        is not: it changes nothing about the clip.
        """
        return self._key_of(self._identity(self._pictures()))

    def _key_of(self, identity: dict[str, Any]) -> str:
        return self.stored or _digest(identity)

    def older_keys(self) -> tuple[str, ...]:
        """The keys that older versions gave to this request, where they differ from today's.

        Those named pictures by what was read, not by what is sent, had the switch `fit` in the key whether
        it changed anything or not, numbered the only picture of a subject, and distinguished no text from an empty one.
        """
        request = self.request
        if not request.pictures() and not request.older_identities():
            return ()
        found: dict[str, None] = {}
        for pictures in (self._pictures(), self._pictures(as_read=True)):
            numbered = {
                "subject_image[0]" if name == "subject_image" else name: pictures[name] for name in pictures
            }
            for named, fit in itertools.product((pictures, numbered), (False, True)):
                identity = self._identity(named) | ({"fit": True} if fit and named else {})
                found[_digest(identity)] = None
                for older in request.older_identities():
                    found[_digest(identity | older)] = None
        found.pop(_digest(self._identity(self._pictures())))
        return tuple(found)

    @property
    def what(self) -> str:
        """The clip in one line, for people."""
        prompt = self.request.prompt_text
        return self.request.label + ("" if prompt is None else f": {in_one_line(prompt, 80)}")

    def picture_name(self, field_name: str, *, as_read: bool = False) -> str:
        """What a picture is, without its bytes: `sha256:…`, its URL, or the clip and the place.

        It is that of what is sent, or `as_read` that of the file. A first frame that is cropped was never
        sent whole.
        """
        shape = self.shapes.get(field_name)
        digest = self.digests.get(field_name)
        if digest:
            sent = (self.sent or {}).get(field_name, digest)
            return f"sha256:{digest if as_read and shape is None else sent}"
        reference = self._files()[field_name]
        return f"{reference} cropped to {_ratio(shape)}" if shape else reference

    def asked(self) -> dict[str, Any]:
        """What was asked, for people: the content of `request.json`."""
        identity = self._identity(self._pictures())
        key = self._key_of(identity)
        pictures, recordings = (
            {
                name: {
                    "is": shown(self.picture_name(name)),
                    "from": shown(reference),
                    **self._changed(name),
                }
                for name, reference in files.items()
            }
            for files in (self.request.pictures(), self.request.recordings())
        )
        if recordings:
            identity["recordings"] = recordings
        return identity | {
            "key": key,
            "endpoint": self.request.endpoint.name,
            "fit": self.request.fit,
            "pictures": pictures,
            "callback_url": shown(self.request.callback_url or "") or None,
            "usd": self.request.usd,
        }

    def _changed(self, field_name: str) -> dict[str, Any]:
        """What was read and how it was cropped, of a picture that is not sent as it was read."""
        found: dict[str, Any] = {}
        if field_name in (self.sent or {}):
            found["read"] = f"sha256:{self.digests[field_name]}"
        if field_name in self.shapes:
            found["cropped_to"] = _ratio(self.shapes[field_name])
        return found

    def to_json(self) -> str:
        """The request as a Luigi parameter."""
        wrapped = {"mode": str(self.mode), **self.request.fields()}
        for name, value in (("sha256", self.digests), ("shapes", self.shapes), ("key", self.stored)):
            if value:
                wrapped[name] = value
        if self.sent is not None:
            wrapped["sent"] = self.sent
        if self.take != 1:
            wrapped["take"] = self.take
        return json.dumps(wrapped, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "ClipRequest":
        """Read `to_json`, or a request that a person wrote. Raises `InvalidRequest`."""
        try:
            fields = json.loads(text)
        except ValueError:
            raise InvalidRequest("request", text, "a JSON object, or the key of a clip") from None
        if not isinstance(fields, dict):
            raise InvalidRequest("request", text, "a JSON object, or the key of a clip")
        modes = [str(mode) for mode in REQUESTS]
        mode = fields.pop("mode", None)
        if mode not in modes:
            raise InvalidRequest("mode", mode, modes)
        take = fields.pop("take", 1)
        if not isinstance(take, int) or isinstance(take, bool):
            raise InvalidRequest("take", take, "1, 2, 3, …")
        digests = _digests(fields.pop("sha256", {}), "sha256")
        sent = _digests(fields.pop("sent"), "sent") if "sent" in fields else None
        shapes = _shapes(fields.pop("shapes", {}))
        stored = fields.pop("key", "")
        request = REQUESTS[Mode(mode)](**fields)
        if "subject_image" in request.pictures() and "subject_image[0]" in digests:
            digests["subject_image"] = digests.pop(
                "subject_image[0]"
            )  # as older versions numbered the only one
        clip = cls(request, digests, take, sent, shapes)
        if stored and stored not in (clip.key, *clip.older_keys()):
            raise InvalidRequest("key", stored, f"{clip.key}, the key of this request, or nothing")
        return replace(clip, stored=stored) if stored and stored != clip.key else clip

    def _pictures(self, *, as_read: bool = False) -> dict[str, str]:
        return {name: self.picture_name(name, as_read=as_read) for name in self.request.pictures()}

    def _identity(self, pictures: dict[str, str]) -> dict[str, Any]:
        sent = {"mode": str(self.mode), "take": self.take} | self.request.identity()
        recordings = {name: self.picture_name(name) for name in self.request.recordings()}
        return sent | {"pictures": pictures} | ({"recordings": recordings} if recordings else {})

    def _files(self) -> dict[str, str]:
        return self.request.pictures() | self.request.recordings()


def _digest(identity: dict[str, Any]) -> str:
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _ratio(shape: tuple[int, int]) -> str:
    """`16:9` for 1920 x 1080."""
    whole = math.gcd(*shape)
    return f"{shape[0] // whole}:{shape[1] // whole}"


def _digests(value: Any, name: str) -> dict[str, str]:
    if isinstance(value, dict) and all(
        isinstance(one, str) and _SHA256.fullmatch(one) for one in value.values()
    ):
        return dict(value)
    raise InvalidRequest(name, value, "an object of SHA-256 digests")


def _shapes(value: Any) -> dict[str, tuple[int, int]]:
    if not isinstance(value, dict):
        raise InvalidRequest("shapes", value, "an object of widths and heights")
    found = {}
    for name, shape in value.items():
        whole = (
            isinstance(shape, list)
            and len(shape) == 2
            and all(type(side) is int and side > 0 for side in shape)
        )
        if not whole:
            raise InvalidRequest("shapes", value, "an object of widths and heights")
        found[name] = (shape[0], shape[1])
    return found


def in_one_line(text: str, limit: int) -> str:
    """A text in one line of at most this many characters, cut between words where its script has such."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    around = line[limit - 2 : limit]
    if " " not in around and not any(east_asian_width(letter) in "WF" for letter in around):
        words = cut.rpartition(" ")[0]
        cut = words if len(words) > limit // 2 else cut
    return cut.rstrip(" ,;:") + "…"


def check_reference(field: str, reference: str) -> None:
    """Raise `PictureError` for a picture's name that is not allowed. Nothing is opened."""
    try:
        kind_of(reference)
    except UnreadableReference as error:
        raise PictureError(field, reference, PICTURE, str(error)) from None
