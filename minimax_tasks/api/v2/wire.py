"""How the second generation of the API writes requests and is read: `content[]`, real HTTP statuses, `task`."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from minimax_tasks.api.answers import QueryAnswer, as_code, as_id
from minimax_tasks.api.endpoint import Document, Said
from minimax_tasks.api.media import Role
from minimax_tasks.api.v2.answers import task_of
from minimax_tasks.api.v2.errors import said

if TYPE_CHECKING:
    from minimax_tasks.api.requests import VideoRequest

_KIND = {Role.REFERENCE_VIDEO: "video_url", Role.REFERENCE_AUDIO: "audio_url"}
"""The type of a content item; all other roles are pictures."""


class V2Wire:
    """The second generation."""

    def body(self, request: "VideoRequest") -> dict[str, Any]:
        """The JSON of a request. All but the switches is required."""
        resolution, seconds = request.size
        content: list[dict[str, Any]] = [{"type": "text", "text": request.prompt}]
        for role, url in request.media():
            kind = _KIND.get(role, "image_url")
            content.append({"type": kind, kind: {"url": url}, "role": str(role)})
        body: dict[str, Any] = {
            "model": request.model,
            "content": content,
            "resolution": resolution,
            "duration": seconds,
            "ratio": request.sent_ratio,
        }
        if request.aigc_watermark:
            body["aigc_watermark"] = True
        if request.sends_expansion_off:
            body["extra"] = {"prompt_expansion_mode": "disabled"}
        if request.callback_url:
            body["callback_url"] = request.callback_url
        return body

    def identity(self, request: "VideoRequest") -> dict[str, Any]:
        """The ratio, and the switches that are sent."""
        found: dict[str, Any] = {"ratio": request.sent_ratio, "aigc_watermark": request.aigc_watermark}
        return found | ({"prompt_optimizer": False} if request.sends_expansion_off else {})

    def query(self, path: str, task_id: str) -> tuple[str, dict[str, str]]:
        """The id is a part of the path."""
        return f"{path}/{quote(task_id, safe='')}", {}

    def free_question(self, path: str) -> tuple[str, dict[str, str]]:
        """The shortest list of tasks."""
        return path, {"page_num": "1", "page_size": "1"}

    def said(self, status: int, document: Document) -> Said:
        """The `error` object, wherever it is."""
        found = said(status, document, is_answer=bool({"task_id", "task", "items"} & document.keys()))
        base_resp = document.get("base_resp")
        if found.code or not isinstance(base_resp, dict):
            return found
        # Not documented here, and what a gateway of the first generation would say.
        code = as_code(base_resp.get("status_code"))
        return Said(code, str(base_resp.get("status_msg") or ""), status, found.trace_id) if code else found

    def task_id(self, document: Document) -> str:
        """The id of the task that was created."""
        return as_id(document.get("task_id")) or task_of(document.get("task")).task_id

    def answer(self, document: Document) -> QueryAnswer:
        """The task."""
        return task_of(document.get("task"))


WIRE = V2Wire()
