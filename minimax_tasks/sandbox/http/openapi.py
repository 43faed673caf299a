"""The sandbox's description of itself: OpenAPI 3.1, from the models that its answers are built from."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from minimax_tasks.api.catalog.models import Mode, default_model, model_modes
from minimax_tasks.api.catalog.templates import TEMPLATES
from minimax_tasks.api.v1.endpoints import GENERATION, TEMPLATE_GENERATION
from minimax_tasks.sandbox.http.faults import faults_schema
from minimax_tasks.sandbox.http.v2 import openapi as second_generation
from minimax_tasks.sandbox.http.validation import FLAGS, OLD_NAMES
from minimax_tasks.sandbox.http.wire import (
    FILE_NAME,
    AddedFaults,
    FaultsProblem,
    LedgerEntry,
    QueryAnswer,
    RetrieveAnswer,
    SubmitAnswer,
    TemplateQueryAnswer,
)

_REFS = "#/components/schemas/{model}"
_ANSWERS: tuple[type[BaseModel], ...] = (
    SubmitAnswer,
    QueryAnswer,
    RetrieveAnswer,
    TemplateQueryAnswer,
    LedgerEntry,
    AddedFaults,
    FaultsProblem,
    *second_generation.ANSWERS,
)
_PICTURE = {
    "type": "string",
    "pattern": "^(https?://|data:)",
    "description": "an http(s) URL, which the sandbox does not fetch, or a base64 data URL of a JPG, PNG or "
    "WebP picture: under 20 MB, short side over 300 px, aspect ratio from 2:5 to 5:2",
}


@cache
def describe() -> dict[str, Any]:
    """The OpenAPI document as JSON values."""
    _, defined = models_json_schema([(model, "serialization") for model in _ANSWERS], ref_template=_REFS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MiniMax video API, offline",
            "version": "1",
            "description": "The video endpoints of both generations as recorded, and the sandbox's own pages. "
            "Business errors are HTTP 200 with base_resp.status_code other than 0 below /v1, and an error object "
            "with an HTTP status of its own below /v2. Declared faults can answer any path with the HTML page of a "
            "gateway, or close the connection.",
        },
        "paths": _paths(),
        "components": {
            "schemas": {
                **defined["$defs"],
                "GenerationRequest": _generation_request(),
                "TemplateGenerationRequest": _template_request(),
                "Faults": faults_schema(),
                **second_generation.schemas(),
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    return {
        GENERATION.submit_path: {
            "post": _submit("Create a video task in one of the four modes", "GenerationRequest")
        },
        GENERATION.query_path: {"get": _read("Status of a video task", "task_id", "string", "QueryAnswer")},
        GENERATION.retrieve_path: {
            "get": _read("A finished file, its URL freshly signed", "file_id", "integer", "RetrieveAnswer")
        },
        TEMPLATE_GENERATION.submit_path: {
            "post": _submit("Create a task from a video template", "TemplateGenerationRequest")
        },
        TEMPLATE_GENERATION.query_path: {
            "get": _read("Status of a template task", "task_id", "string", "TemplateQueryAnswer")
        },
        **second_generation.paths(),
        f"/sandbox/files/{{file_id}}/{FILE_NAME}": {"get": _download()},
        "/sandbox/ledger": {
            "get": {
                "summary": "Every task that was accepted, oldest first",
                "responses": {
                    "200": _json({"type": "array", "items": _ref("LedgerEntry")}),
                    "403": _json(_ref("FaultsProblem")),
                },
            }
        },
        "/sandbox/faults": {
            "get": {
                "summary": "Every fault as declared, with `struck`: how often it did",
                "responses": {
                    "200": _json({"type": "array", "items": {"type": "object"}}),
                    "403": _json(_ref("FaultsProblem")),
                },
            },
            "post": {
                "summary": "Add faults, as JSON or YAML",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _ref("Faults")}},
                },
                "responses": {
                    "200": _json(_ref("AddedFaults")),
                    **{status: _json(_ref("FaultsProblem")) for status in ("403", "413", "422")},
                },
            },
        },
        "/openapi.json": {
            "get": {"summary": "This document", "responses": {"200": _json({"type": "object"})}}
        },
    }


def _submit(summary: str, request: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "security": [{"bearer": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref(request)}}},
        "responses": {
            "200": _traced(_json(_ref("SubmitAnswer"))),
            "413": _traced(_html("The body is over 64 MB")),
            "default": _traced(_html("The page of a gateway, by a declared fault")),
        },
    }


def _read(summary: str, parameter: str, kind: str, answer: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "security": [{"bearer": []}],
        "parameters": [{"name": parameter, "in": "query", "required": True, "schema": {"type": kind}}],
        "responses": {
            "200": _traced(_json(_ref(answer))),
            "default": _traced(_html("The page of a gateway, by a declared fault")),
        },
    }


def _download() -> dict[str, Any]:
    video = {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}
    problem = {"application/xml": {"schema": {"type": "string"}}}
    signed = [
        {"name": "Expires", "in": "query", "required": True, "schema": {"type": "integer"}},
        {"name": "Signature", "in": "query", "required": True, "schema": {"type": "string"}},
    ]
    return {
        "summary": "The MP4; the signature is all that it needs",
        "parameters": [
            {"name": "file_id", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "Range", "in": "header", "schema": {"type": "string"}},
            *signed,
        ],
        "responses": {
            "200": {"description": "The whole file", "content": video},
            "206": {"description": "The part that Range asked for", "content": video},
            "400": {"description": "Range is malformed", "content": {"text/plain": {}}},
            "403": {"description": "The signature is wrong or expired", "content": problem},
            "404": {"description": "No such file", "content": problem},
            "416": {"description": "Range is outside of the file", "content": {"text/plain": {}}},
            "default": _html("The page of a gateway, by a declared fault"),
        },
    }


def _generation_request() -> dict[str, Any]:
    rows = [row for row in model_modes() if row.endpoint == GENERATION]
    sizes = [size for row in rows for size in row.sizes]
    seconds = sorted({each for size in sizes for each in size.seconds})
    subject = {
        "type": "object",
        "required": ["type", "image"],
        "properties": {
            "type": {"const": "character"},
            "image": {"type": "array", "minItems": 1, "items": _PICTURE},
        },
    }
    return _object(
        ["model"],
        model={"type": "string", "enum": [*dict.fromkeys(row.model for row in rows), *OLD_NAMES]},
        prompt={"type": "string", "maxLength": max(row.prompt_limit for row in rows)},
        first_frame_image=_PICTURE,
        last_frame_image=_PICTURE,
        subject_reference={"type": "array", "minItems": 1, "maxItems": 1, "items": subject},
        duration={"type": "integer", "enum": seconds, "default": default_model(Mode.TEXT).default_seconds},
        resolution={"type": "string", "enum": [*dict.fromkeys(size.resolution for size in sizes)]},
        **{name: {"type": "boolean", "default": default} for name, default in FLAGS.items()},
        callback_url={"type": "string", "format": "uri"},
    )


def _template_request() -> dict[str, Any]:
    ids = [each for template in TEMPLATES for each in (template.id, *template.other_ids)]

    def inputs(value: dict[str, Any]) -> dict[str, Any]:
        item = {"type": "object", "required": ["value"], "properties": {"value": value}}
        return {"type": "array", "items": item}

    return _object(
        ["template_id"],
        template_id={"type": "string", "enum": ids},
        media_inputs=inputs(_PICTURE),
        text_inputs=inputs({"type": "string"}),
        callback_url={"type": "string", "format": "uri"},
    )


def _object(required: Sequence[str], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [*required], "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REFS.format(model=name)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "JSON", "content": {"application/json": {"schema": schema}}}


def _html(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"text/html": {"schema": {"type": "string"}}}}


def _traced(response: dict[str, Any]) -> dict[str, Any]:
    return {**response, "headers": {"Trace-Id": {"required": True, "schema": {"type": "string"}}}}
