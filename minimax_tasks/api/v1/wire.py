"""How the first generation of the API writes requests and is read: flat fields, HTTP 200 with `base_resp`."""

from typing import TYPE_CHECKING, Any

from minimax_tasks.api.answers import QueryAnswer, as_code, as_id
from minimax_tasks.api.endpoint import Document, Said
from minimax_tasks.api.media import Role

if TYPE_CHECKING:
    from minimax_tasks.api.requests import VideoRequest

_FRAMES = {Role.FIRST_FRAME: "first_frame_image", Role.LAST_FRAME: "last_frame_image"}


class V1Wire:
    """The first generation."""

    def body(self, request: "VideoRequest") -> dict[str, Any]:
        """The JSON of a request: only fields that its model takes, defaults left out."""
        body: dict[str, Any] = {"model": request.model}
        if request.prompt:
            body["prompt"] = request.prompt
        if request.sends_size:
            resolution, seconds = request.size
            body |= {"duration": seconds, "resolution": resolution}
        if not request.prompt_optimizer:
            body["prompt_optimizer"] = False
        if request.sends_fast_pretreatment:
            body["fast_pretreatment"] = True
        if request.aigc_watermark:
            body["aigc_watermark"] = True
        if request.callback_url:
            body["callback_url"] = request.callback_url
        media = request.media()
        body |= {_FRAMES[role]: url for role, url in media if role in _FRAMES}
        subjects = [url for role, url in media if role is Role.REFERENCE_IMAGE]
        if subjects:
            body["subject_reference"] = [{"type": "character", "image": subjects}]
        return body

    def identity(self, request: "VideoRequest") -> dict[str, Any]:
        """The switches."""
        return {
            "prompt_optimizer": request.prompt_optimizer,
            "fast_pretreatment": request.sends_fast_pretreatment,
            "aigc_watermark": request.aigc_watermark,
        }

    def query(self, path: str, task_id: str) -> tuple[str, dict[str, str]]:
        """The id is a parameter."""
        return path, {"task_id": task_id}

    def free_question(self, path: str) -> tuple[str, dict[str, str]]:
        """About a task that nobody has."""
        return self.query(path, "0")

    def said(self, status: int, document: Document) -> Said:
        """`base_resp`, unless a gateway is in trouble: what it repeats may be of an earlier moment."""
        base_resp = document.get("base_resp")
        found = base_resp if isinstance(base_resp, dict) else {}
        message = found.get("status_msg")
        code = as_code(found.get("status_code")) if status < 500 else None
        return Said(code, message if isinstance(message, str) else "", status)

    def task_id(self, document: Document) -> str:
        """The id of the task that was created."""
        return as_id(document.get("task_id"))

    def answer(self, document: Document) -> QueryAnswer:
        """The answer as it is."""
        return QueryAnswer.model_validate(document)


WIRE = V1Wire()
