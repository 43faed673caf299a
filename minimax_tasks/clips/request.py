"""A clip as it is asked for: the request, what its pictures are, and which take of it."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.errors import InvalidRequest, PictureError
from minimax_tasks.api.requests import REQUESTS, AnyRequest, TemplateRequest, VideoRequest
from minimax_tasks.redaction import shown
from minimax_tasks.storage.references import Unreadable, kind_of

_FRAME = re.compile(r"clip:(?P<key>[0-9a-f]{32})#(?P<place>first|last|[0-9]{1,4}(\.[0-9]{1,6})?)")
KEY = re.compile(r"[0-9a-f]{32}")
PICTURE = "an http(s) URL, a data URL, or a path to a JPEG, PNG or WebP picture"


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
    """A request with the digests of its pictures and the number of the take.

    Picture references in the request are http(s) URLs, data URLs, fsspec paths, or frames of other clips.
    `digests` has the SHA-256 of each picture that is a path or a data URL, so that the clip is known by
    its key although the picture may be gone.
    """

    request: AnyRequest
    digests: dict[str, str] = field(default_factory=dict)
    take: int = 1

    def __post_init__(self) -> None:
        if self.take < 1:
            raise InvalidRequest("take", self.take, "1, 2, 3, …")
        for name, reference in self.request.pictures().items():
            try:
                kind_of(reference)
            except Unreadable as error:
                raise PictureError(name, reference, PICTURE, str(error)) from None

    @property
    def mode(self) -> Mode:
        """How the clip is asked for."""
        return self.request.mode

    @property
    def key(self) -> str:
        """32 hex digits made from what the request is: prompt, model, size, pictures, take."""
        identity = json.dumps(self._identity(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    @property
    def what(self) -> str:
        """The clip in one line, for people."""
        request = self.request
        if isinstance(request, TemplateRequest):
            return f"template {request.row.name}"
        resolution, seconds = request.size
        return f"{request.model} {resolution} {seconds} s: {' '.join(request.prompt[:80].split())}"

    def picture_name(self, field_name: str) -> str:
        """What a picture is, without its bytes: `sha256:…`, its URL, or the clip and the place."""
        digest = self.digests.get(field_name)
        return f"sha256:{digest}" if digest else self.request.pictures()[field_name]

    def asked(self) -> dict[str, Any]:
        """What was asked, for people: the content of `request.json`."""
        pictures = {
            name: {"is": shown(self.picture_name(name)), "from": shown(reference)}
            for name, reference in self.request.pictures().items()
        }
        return self._identity() | {
            "key": self.key,
            "pictures": pictures,
            "callback_url": shown(self.request.callback_url or "") or None,
            "usd": self.request.usd,
        }

    def to_json(self) -> str:
        """The request as a Luigi parameter."""
        fields = self.request.model_dump(exclude_defaults=True)
        if isinstance(self.request, VideoRequest):
            fields["model"] = self.request.model
        wrapped = {"mode": str(self.mode), **fields}
        if self.digests:
            wrapped["sha256"] = self.digests
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
        digests, take = fields.pop("sha256", {}), fields.pop("take", 1)
        if not isinstance(take, int) or isinstance(take, bool):
            raise InvalidRequest("take", take, "1, 2, 3, …")
        return cls(REQUESTS[Mode(mode)](**fields), dict(digests), take)

    def _identity(self) -> dict[str, Any]:
        request = self.request
        identity: dict[str, Any] = {"mode": str(self.mode), "take": self.take}
        if isinstance(request, TemplateRequest):
            identity |= {"template_id": request.row.id, "text": request.text}
        else:
            resolution, seconds = request.size
            identity |= {
                "model": request.model,
                "prompt": request.prompt,
                "resolution": resolution,
                "duration": seconds,
                "prompt_optimizer": request.prompt_optimizer,
                "fast_pretreatment": request.sends_fast_pretreatment,
                "aigc_watermark": request.aigc_watermark,
            }
        if request.fit and request.pictures():
            identity["fit"] = True
        return identity | {"pictures": {name: self.picture_name(name) for name in request.pictures()}}
