"""What the sandbox says of the second generation in its description of itself."""

from typing import Any

from pydantic import BaseModel

from minimax_tasks.api.catalog.models import RATIOS, V2_PICTURES, Mode, model_modes
from minimax_tasks.api.client import UPLOAD_PATH
from minimax_tasks.api.v2.endpoints import GENERATION
from minimax_tasks.sandbox.http.v2.routes import (
    DEFAULT_PAGE,
    ENHANCEMENT_PATH,
    LARGEST_PAGE,
    REGENERATION_PATH,
)
from minimax_tasks.sandbox.http.v2.uploads import ADDRESS, PURPOSES
from minimax_tasks.sandbox.http.v2.validation import CONTENT_ROLES, FINAL_PROMPT_LIMIT
from minimax_tasks.sandbox.http.v2.wire import (
    STATUSES,
    TASK_WORDS,
    Created,
    Deleted,
    ErrorAnswer,
    TaskDocument,
    TaskList,
    Uploaded,
)

ANSWERS: tuple[type[BaseModel], ...] = (Created, TaskDocument, TaskList, Deleted, Uploaded, ErrorAnswer)
"""The models of what is answered."""

_ENHANCED_BY = "MiniMax-H3"
"""The only model of the paths beside the create."""


def paths() -> dict[str, Any]:
    """The seven paths."""
    one = {
        "name": "task_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
    return {
        GENERATION.submit_path: {"post": _create("Create a video task", "VideoRequest")},
        ENHANCEMENT_PATH: {"post": _create("Create a task that writes a better prompt", "PromptRequest")},
        REGENERATION_PATH: {
            "post": _create("Create a task that makes a video larger", "RegenerationRequest")
        },
        GENERATION.list_path: {
            "get": _asked("The account's tasks of the last seven days, newest first", "TaskList", _filters())
        },
        f"{GENERATION.query_path}/{{task_id}}": {"get": _asked("A task", "TaskDocument", [one])},
        f"{GENERATION.cancel_path}/{{task_id}}": {
            "delete": _asked(
                "Take back what is queued, or delete the record of what is over", "Deleted", [one]
            )
        },
        UPLOAD_PATH: {"post": _upload()},
    }


def schemas() -> dict[str, Any]:
    """The bodies of requests. A rule between fields is told in the answer to a body that breaks it."""
    rows = [row for row in model_modes() if row.endpoint == GENERATION]
    sizes = [size for row in rows for size in row.sizes]
    seconds = sorted({each for size in sizes for each in size.seconds})
    models = [*dict.fromkeys(row.model for row in rows)]
    longest = max(row.prompt_limit for row in rows if row.mode is Mode.TEXT)
    common = {
        "aigc_watermark": {"type": "boolean", "default": False},
        "callback_url": {"type": "string", "format": "uri"},
    }
    clip = {
        "content": {"type": "array", "minItems": 1, "items": {"oneOf": [_text(longest), *_files()]}},
        "duration": {"type": "integer", "minimum": seconds[0], "maximum": seconds[-1]},
        "ratio": {"type": "string", "enum": [*RATIOS]},
        **common,
    }
    size = {"resolution": {"type": "string", "enum": [*dict.fromkeys(size.resolution for size in sizes)]}}
    sources = [_text(FINAL_PROMPT_LIMIT), _base_video()]
    extra = {
        "type": "object",
        "properties": {"prompt_expansion_mode": {"enum": ["disabled", "balanced", "quality"]}},
    }
    return {
        "VideoRequest": _object(
            ["model", "content", "resolution", "duration"],
            {"model": {"type": "string", "enum": models}, **clip, **size, "extra": extra},
        ),
        "PromptRequest": _object(
            ["model", "content", "duration"], {"model": {"const": _ENHANCED_BY}, **clip}
        ),
        "RegenerationRequest": _object(
            ["model", "resolution"],
            {
                "model": {"const": _ENHANCED_BY},
                "resolution": {"const": "2K"},
                "source_task_id": {"type": "string"},
                "content": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"oneOf": sources},
                },
                **common,
            },
        ),
    }


def _files() -> list[dict[str, Any]]:
    return [
        _item(kind, {"enum": [*roles]}, required=kind != "image_url") for kind, roles in CONTENT_ROLES.items()
    ]


def _base_video() -> dict[str, Any]:
    return _item("video_url", {"const": "base_video"}, required=True)


def _item(kind: str, role: dict[str, Any], *, required: bool) -> dict[str, Any]:
    place = {
        "type": "string",
        "pattern": f"^(https?://|data:|{ADDRESS})",
        "description": "an http(s) URL, which the sandbox does not fetch, a base64 data URL, or the address of an "
        f"upload; a picture is {V2_PICTURES.says_bytes}",
    }
    holder = _object(["url"], {"url": place})
    return _object(
        ["type", kind, *(["role"] if required else [])], {"type": {"const": kind}, kind: holder, "role": role}
    )


def _text(longest: int) -> dict[str, Any]:
    return _object(
        ["type", "text"],
        {"type": {"const": "text"}, "text": {"type": "string", "minLength": 1, "maxLength": longest}},
    )


def _filters() -> list[dict[str, Any]]:
    def one(name: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "in": "query", "schema": schema}

    def some(item: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "items": item}

    return [
        one("page_num", {"type": "integer", "minimum": 1, "default": 1}),
        one("page_size", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": DEFAULT_PAGE}),
        one(
            "filter.status",
            some({"type": "string", "enum": [*dict.fromkeys(TASK_WORDS.values()), "expired"]}),
        ),
        *(one(f"filter.{name}", some({"type": "string"})) for name in ("task_ids", "model", "task_type")),
    ]


def _create(summary: str, request: str) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": _ref(request)}}}
    return {
        "summary": summary,
        "security": [{"bearer": []}],
        "requestBody": body,
        "responses": _answers("Created"),
    }


def _asked(summary: str, answer: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "summary": summary,
        "security": [{"bearer": []}],
        "parameters": parameters,
        "responses": _answers(answer),
    }


def _upload() -> dict[str, Any]:
    form = _object(
        ["file", "purpose"],
        {"file": {"type": "string", "format": "binary"}, "purpose": {"type": "string", "enum": [*PURPOSES]}},
    )
    return {
        "summary": "Keep a picture, a video or a sound for a week, as an input of requests",
        "security": [{"bearer": []}],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
        "responses": _answers("Uploaded"),
    }


def _answers(good: str) -> dict[str, Any]:
    """The answer, an error of any status that it has, and what a gateway in front of it may say."""
    page = {"schema": {"type": "string"}}
    refused = {"description": "Refused", "content": {"application/json": {"schema": _ref("ErrorAnswer")}}}
    return {
        "200": {"description": "JSON", "content": {"application/json": {"schema": _ref(good)}}},
        **{str(status): refused for status in sorted({500, *(status for status, _ in STATUSES.values())})},
        "default": {
            "description": "The page of a gateway, or the plain text of a path that is not known",
            "content": {"text/html": page, "text/plain": page},
        },
    }


def _object(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
