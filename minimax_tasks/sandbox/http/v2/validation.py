"""Requests of the second generation, judged by its rules in its order: fields, model, text, mixture, files, size,
ratio. Where the sources disagree on what is taken, either is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minimax_tasks.api.catalog.models import (
    RATIOS,
    V2_PICTURES,
    Mode,
    ModelMode,
    Optimizer,
    ReferenceLimits,
    find_model_mode,
)
from minimax_tasks.api.v2.endpoints import GENERATION
from minimax_tasks.sandbox.drawing.pictures import Pictures, decoded
from minimax_tasks.sandbox.http.v2.recordings import judge
from minimax_tasks.sandbox.http.v2.uploads import ADDRESS, Uploads
from minimax_tasks.sandbox.http.v2.wire import Rejected
from minimax_tasks.sandbox.http.validation import (
    AcceptedRequest,
    RequestBody,
    callback_url_of,
    missing,
    mistyped,
)

ADAPTIVE = RATIOS[0]
FINAL_PROMPT_LIMIT = 40_000
"""Longest text of a regeneration in characters (source: v2)."""

CONTENT_ROLES = {
    "image_url": ("first_frame", "last_frame", "reference_image"),
    "video_url": ("reference_video",),
    "audio_url": ("reference_audio",),
}
"""Type of a content item -> the roles that it may have."""
_UNSEEN_SECONDS = 5
"""How long a video behind a URL, which is never fetched, counts."""

_TOKENS_PROMPT, _TOKENS_A_SECOND = 13_500, 52_078

Reader = Callable[[bytearray, Pictures], AcceptedRequest]


@dataclass(frozen=True)
class _Item:
    """A file of a request."""

    role: str
    url: str

    @property
    def field(self) -> str:
        return f"content[{self.role}]"


def reader(uploads: Uploads, *, enhances: bool = False) -> Reader:
    """What judges the body of a create, or (`enhances`) of a request for a better prompt. Raises `Rejected`."""

    def read(body: bytearray, pictures: Pictures) -> AcceptedRequest:
        asked = RequestBody(body)
        model = asked.required("model")
        content = _content(asked)
        resolution = "768P" if enhances else asked.required("resolution")
        seconds = asked.integer("duration")
        if seconds is None:
            raise missing("duration")
        ratio = asked.text("ratio")
        asked.boolean("aigc_watermark")
        path = "h3_context_ir" if enhances else "video_generation"
        row = _row(model, Mode.TEXT, path)
        prompt, items = _read_content(content)
        _check_prompt(prompt, row.prompt_limit)
        mode = _mode(items)
        row = _row(model, mode, path)
        _check_extra(asked, row)
        found = _Files(pictures, uploads, row).take(items)
        _check_size(row, resolution, seconds)
        _check_ratio(mode, ratio)
        callback_url = callback_url_of(asked)
        shown_ratio = ratio or ADAPTIVE
        if mode in (Mode.IMAGE, Mode.START_END):
            shown_ratio = ADAPTIVE
        request = dict(asked.values) | {"content": found.content(prompt)}
        first, last = found.of("first_frame"), found.of("last_frame")
        shape = next(iter([*first, *last, *found.of("reference_image")]), "")
        aspect = pictures.aspect(shape) if shape else None
        return AcceptedRequest(
            mode, prompt, resolution, seconds, row.fps, request,
            first=first[0] if first else "",
            last=last[0] if last else "",
            references=tuple(found.of("reference_image")),
            aspect=aspect,
            callback_url=callback_url,
            endpoint_name=GENERATION.name,
            ratio=shown_ratio,
            usage=found.usage(seconds),
            task_type="h3_context_ir" if enhances else "generation",
            text_result=_better(prompt, seconds) if enhances else "",
        )  # fmt: skip

    return read


def read_regeneration(body: bytearray) -> tuple[str, str, RequestBody]:
    """The task, or the prompt of the video, that is to be made larger. Raises `Rejected`."""
    asked = RequestBody(body)
    model = asked.required("model")
    if asked.required("resolution") != "2K":
        raise Rejected(2013, "invalid params, param 'resolution' only support 2K")
    if model != "MiniMax-H3":
        raise Rejected(2013, "this model is not supported by /v2/video_regeneration", bare=True)
    source = asked.text("source_task_id")
    if bool(source) == ("content" in asked.values):
        raise Rejected(2013, "invalid params, exactly one of source_task_id and content is required")
    if source:
        return source, "", asked
    content = _content(asked)
    base = [item for item in content if isinstance(item, dict) and item.get("role") == "base_video"]
    if len(base) != 1:
        raise Rejected(2013, "invalid params, content must include exactly one base_video")
    prompt, _ = _read_content([item for item in content if item not in base])
    _check_prompt(prompt, FINAL_PROMPT_LIMIT)
    return "", prompt, asked


def _content(asked: RequestBody) -> list[Any]:
    content = asked.values.get("content")
    if content is None or content == []:
        raise missing("content")
    if not isinstance(content, list):
        raise mistyped("content")
    return content


def _row(model: str, mode: Mode, path: str) -> ModelMode:
    row = find_model_mode(model, mode)
    if row is None or row.endpoint != GENERATION or (path == "h3_context_ir" and model != "MiniMax-H3"):
        raise Rejected(2013, f"this model is not supported by /v2/{path}", bare=True)  # recorded
    return row


def _read_content(content: list[Any]) -> tuple[str, list[_Item]]:
    texts: list[str] = []
    items: list[_Item] = []
    for item in content:
        if not isinstance(item, dict):
            raise mistyped("content")
        kind = item.get("type")
        if kind == "text":
            if not isinstance(item.get("text"), str):
                raise mistyped("content.text")
            texts.append(item["text"])
        elif isinstance(kind, str) and kind in CONTENT_ROLES:
            items.append(_item(kind, item))
        else:
            raise Rejected(2013, f"invalid params, content type {str(kind)[:40]!r} is not supported")
    if not any(text.strip() for text in texts):
        # recorded
        raise Rejected(
            2013, "invalid params, content must include a non-empty text item (prompt is required)"
        )
    if len(texts) > 1:
        raise Rejected(2013, "invalid params, content must include exactly one text item")
    return texts[0], _with_roles(items)


def _item(kind: str, item: dict[str, Any]) -> _Item:
    holder = item.get(kind)
    url = holder.get("url") if isinstance(holder, dict) else None
    if not isinstance(url, str) or not url:
        raise missing(f"content.{kind}.url")
    role = item.get("role")
    if role is not None and role not in CONTENT_ROLES[kind]:
        raise Rejected(2013, f"invalid params, role {str(role)[:40]!r} is not supported for {kind}")
    if role is None and kind != "image_url":
        raise missing("content.role")
    return _Item(role or "", url)


def _with_roles(items: list[_Item]) -> list[_Item]:
    """A single picture without a role is the first frame."""
    unsaid = [item for item in items if not item.role]
    if not unsaid:
        return items
    if len(items) > 1:
        raise Rejected(2013, "invalid params, role is required with more than one file")
    return [_Item("first_frame", items[0].url)]


def _check_prompt(prompt: str, limit: int) -> None:
    if len(prompt) > limit:
        raise Rejected(2013, f"invalid params, text length must not exceed {limit} characters")


def _mode(items: list[_Item]) -> Mode:
    count = {
        role: sum(item.role == role for item in items) for roles in CONTENT_ROLES.values() for role in roles
    }
    frames = count["first_frame"] + count["last_frame"]
    references = len(items) - frames
    if max(count["first_frame"], count["last_frame"]) > 1:
        raise Rejected(2013, "invalid params, at most one first_frame and one last_frame are supported")
    if frames and references:
        raise Rejected(2013, "invalid params, first_frame and last_frame cannot be used with references")
    if frames:
        return Mode.START_END if count["last_frame"] else Mode.IMAGE
    if not references:
        return Mode.TEXT
    limits = _limits()
    for role, most in (
        ("reference_image", limits.images), ("reference_video", limits.videos), ("reference_audio", limits.audios),
    ):  # fmt: skip
        if count[role] > most:
            raise Rejected(2013, f"invalid params, at most {most} {role} items are supported")
    if references > limits.files:
        raise Rejected(2013, f"invalid params, at most {limits.files} reference files are supported")
    if references == count["reference_audio"]:
        raise Rejected(2013, "invalid params, reference_audio needs a reference_image or a reference_video")
    return Mode.REFERENCE


def _limits() -> ReferenceLimits:
    row = find_model_mode("MiniMax-H3", Mode.REFERENCE)
    assert row is not None
    assert row.references is not None
    return row.references


def _check_extra(asked: RequestBody, row: ModelMode) -> None:
    extra = asked.values.get("extra")
    if extra is None or row.optimizer is not Optimizer.EXPANSION:
        return
    if not isinstance(extra, dict):
        raise mistyped("extra")
    modes = ("disabled", "balanced", "quality")
    if set(extra) - {"prompt_expansion_mode"} or extra.get("prompt_expansion_mode", modes[0]) not in modes:
        raise Rejected(2013, f"invalid params, extra.prompt_expansion_mode must be one of {', '.join(modes)}")


def _check_size(row: ModelMode, resolution: str, seconds: int) -> None:
    sizes = {size.resolution: size.seconds for size in row.sizes}
    if resolution not in sizes:
        raise Rejected(2013, f"invalid params, param 'resolution' only support {' and '.join(sizes)}")
    if seconds not in sizes[resolution]:
        low, high = min(sizes[resolution]), max(sizes[resolution])
        raise Rejected(2013, f"invalid params, param 'duration' must be between {low} and {high}")


def _check_ratio(mode: Mode, ratio: str) -> None:
    if ratio and ratio not in RATIOS:
        raise Rejected(2013, f"invalid params, param 'ratio' only support {', '.join(RATIOS)}")
    if mode is Mode.TEXT and ratio in ("", ADAPTIVE):
        raise Rejected(
            2013, "invalid params, param 'ratio' is required for text-to-video and cannot be adaptive"
        )


class _Files:
    """The files of a request: judged, kept, and counted for the bill."""

    def __init__(self, pictures: Pictures, uploads: Uploads, row: ModelMode) -> None:
        self._pictures = pictures
        self._uploads = uploads
        self._row = row
        self._kept: list[tuple[_Item, str]] = []
        self._seconds = {"reference_video": 0.0, "reference_audio": 0.0}

    def take(self, items: list[_Item]) -> "_Files":
        for item in items:
            if item.role in self._seconds:
                self._kept.append((item, self._recording(item)))
            else:
                self._kept.append((item, self._picture(item)))
        limits = _limits()
        for role, most in (
            ("reference_video", limits.video.together), ("reference_audio", limits.audio.together),
        ):  # fmt: skip
            if self._seconds[role] > most + 0.5:
                raise Rejected(2013, f"invalid params, total duration of {role} must not exceed {most:g}s")
        return self

    def of(self, role: str) -> list[str]:
        return [kept for item, kept in self._kept if item.role == role]

    def content(self, prompt: str) -> list[dict[str, Any]]:
        """The content as the ledger shows it."""
        kinds = {role: kind for kind, roles in CONTENT_ROLES.items() for role in roles}
        shown: list[dict[str, Any]] = [{"type": "text", "text": prompt}]
        for item, kept in self._kept:
            kind = kinds[item.role]
            shown.append({"type": kind, kind: {"url": kept}, "role": item.role})
        return shown

    def usage(self, seconds: int) -> dict[str, int]:
        """What is billed once the clip is there."""
        inputs = round(self._seconds["reference_video"])
        sound = round(self._seconds["reference_audio"])
        pictures = len(self._kept) - len(self.of("reference_video")) - len(self.of("reference_audio"))
        tokens = seconds * _TOKENS_A_SECOND
        found = {
            "total_seconds": seconds + inputs,
            "input_seconds": inputs,
            "output_seconds": seconds,
            "input_image_count": pictures,
            "total_tokens": _TOKENS_PROMPT + tokens,
            "prompt_tokens": _TOKENS_PROMPT,
            "completion_tokens": tokens,
        }
        return found | ({"input_audio_seconds": sound} if self.of("reference_audio") else {})

    def _picture(self, item: _Item) -> str:
        if item.url.startswith(ADDRESS):
            return self._pictures.keep(self._uploaded(item), item.field, V2_PICTURES)
        return self._pictures.take(item.url, item.field, V2_PICTURES)

    def _recording(self, item: _Item) -> str:
        moves = item.role == "reference_video"
        if item.url.startswith(("http://", "https://")):
            self._seconds[item.role] += _UNSEEN_SECONDS
            return item.url
        if moves and item.url.startswith("data:") and not item.url.startswith("data:video/mp4;"):
            raise Rejected(2013, f"invalid params, {item.field} only support data:video/mp4")
        data = self._uploaded(item) if item.url.startswith(ADDRESS) else decoded(item.url, item.field)
        limits = _limits()
        found = judge(data, limits.video if moves else limits.audio, item.field, moves=moves)
        self._seconds[item.role] += found.seconds
        return self._pictures.keep_unread(data)

    def _uploaded(self, item: _Item) -> bytes:
        try:
            return self._uploads.open(item.url)
        except LookupError:
            raise Rejected(2013, f"invalid params, {item.field} file does not exist") from None
        except TimeoutError:
            raise Rejected(2013, f"invalid params, {item.field} file expired") from None


def _better(prompt: str, seconds: int) -> str:
    """The text that a request for a better prompt gives, in the sections that the service has."""
    return (
        f"integrated_multimodal_description: {prompt.strip()} The shot lasts {seconds} seconds.\n"
        "overall_soundscape: the sounds of the place.\nnon_diegetic_music: N/A"
    )
