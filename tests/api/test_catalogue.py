"""Walks the published tables cell by cell: what is allowed is sent exactly, what is not is refused."""

import itertools
import subprocess
import sys
from typing import Any

import pytest

from minimax_tasks import (
    ImageToVideoRequest,
    InvalidRequest,
    MiniMaxCatalogWarning,
    StartEndToVideoRequest,
    SubjectToVideoRequest,
    TemplateRequest,
    TextToVideoRequest,
)
from minimax_tasks.api.catalog.errors import ERROR_CODES
from minimax_tasks.api.catalog.models import MODEL_MODES, Mode
from minimax_tasks.api.catalog.sources import SOURCES
from minimax_tasks.api.catalog.templates import TEMPLATES, find_template
from minimax_tasks.api.errors import error_from_code
from minimax_tasks.api.v1.endpoints import GENERATION

URL = "https://example.com/a.png"

# (model, resolution, seconds) that the published tables allow, written out by hand
_HD = {("768P", 6), ("768P", 10), ("1080P", 6)}
_ALLOWED: dict[Mode, dict[str, set[tuple[str, int]]]] = {
    Mode.TEXT: {
        "MiniMax-Hailuo-2.3": _HD,
        "MiniMax-Hailuo-2.3-Fast": _HD,
        "MiniMax-Hailuo-02": _HD | {("512P", 6), ("512P", 10)},
        "T2V-01-Director": {("720P", 6)},
        "T2V-01": {("720P", 6)},
    },
    Mode.IMAGE: {
        "MiniMax-Hailuo-2.3": _HD,
        "MiniMax-Hailuo-2.3-Fast": _HD,
        "MiniMax-Hailuo-02": _HD | {("512P", 6), ("512P", 10), ("1080P", 10)},
        "I2V-01-Director": {("720P", 6)},
        "I2V-01-live": {("720P", 6)},
        "I2V-01": {("720P", 6)},
    },
    Mode.START_END: {"MiniMax-Hailuo-02": _HD},
}
_SIZES = {size for models in _ALLOWED.values() for sizes in models.values() for size in sizes}
RESOLUTIONS, SECONDS = sorted({name for name, _ in _SIZES}), sorted({seconds for _, seconds in _SIZES})
_REQUEST: dict[Mode, tuple[Any, dict[str, str]]] = {
    Mode.TEXT: (TextToVideoRequest, {"prompt": "a harbour"}),
    Mode.IMAGE: (ImageToVideoRequest, {"first_frame_image": URL}),
    Mode.START_END: (StartEndToVideoRequest, {"first_frame_image": URL, "last_frame_image": URL}),
}
FIRST = [model_mode for model_mode in MODEL_MODES if model_mode.endpoint is GENERATION]
"""The rows of the first generation; tests/api/test_second_generation.py walks the others."""
MODELS = sorted({model_mode.model for model_mode in FIRST})
CELLS = list(itertools.product(_ALLOWED, MODELS, RESOLUTIONS, SECONDS))


@pytest.mark.parametrize(("mode", "model", "resolution", "seconds"), CELLS)
def test_every_cell_of_the_tables(mode: Mode, model: str, resolution: str, seconds: int) -> None:
    kind, needed = _REQUEST[mode]
    fields = needed | {"model": model, "resolution": resolution, "duration": seconds}
    allowed = _ALLOWED[mode].get(model)
    if allowed is None:
        with pytest.raises(InvalidRequest) as refused:
            kind(**fields)
        assert refused.value.field == "model"
        assert all(name in refused.value.allowed for name in _ALLOWED[mode])
    elif (resolution, seconds) in allowed:
        body = kind(**fields).body()
        expected = needed | {"model": model}
        if "Hailuo" in model:
            expected |= {"resolution": resolution, "duration": seconds}
        assert body == expected
    else:
        with pytest.raises(InvalidRequest) as refused:
            kind(**fields)
        known = {name for name, _ in allowed}
        if resolution not in known:
            assert refused.value.field == "resolution"
            assert all(name in refused.value.allowed for name in known)
        else:
            assert refused.value.field == "duration"
            assert refused.value.allowed == ", ".join(str(s) for r, s in sorted(allowed) if r == resolution)


def test_left_out_sizes_are_the_defaults() -> None:
    assert TextToVideoRequest(prompt="x").size == ("768P", 6)
    assert TextToVideoRequest(prompt="x", model="T2V-01").size == ("720P", 6)


def test_resolution_is_sent_in_upper_case() -> None:
    assert TextToVideoRequest(prompt="x", resolution="1080p").body()["resolution"] == "1080P"


def test_flags_are_sent_only_when_they_differ_from_the_default() -> None:
    assert TextToVideoRequest(prompt="x").body().keys() == {"model", "prompt", "duration", "resolution"}
    body = TextToVideoRequest(
        prompt="x",
        prompt_optimizer=False,
        aigc_watermark=True,
        callback_url="https://example.com/hook",
    ).body()
    assert body["prompt_optimizer"] is False
    assert body["aigc_watermark"] is True
    assert body["callback_url"] == "https://example.com/hook"


FAST_PRETREATMENT = {
    (Mode.TEXT, "MiniMax-Hailuo-2.3"),
    (Mode.TEXT, "MiniMax-Hailuo-02"),
    (Mode.IMAGE, "MiniMax-Hailuo-2.3"),
    (Mode.IMAGE, "MiniMax-Hailuo-2.3-Fast"),
    (Mode.IMAGE, "MiniMax-Hailuo-02"),
}


@pytest.mark.parametrize(("mode", "model"), [(model_mode.mode, model_mode.model) for model_mode in FIRST])
def test_fast_pretreatment_is_sent_only_where_a_model_has_it(mode: Mode, model: str) -> None:
    kind, needed = (SubjectToVideoRequest, {"subject_image": URL}) if mode is Mode.SUBJECT else _REQUEST[mode]
    request = kind(**needed, model=model, fast_pretreatment=True)
    sent = (mode, model) in FAST_PRETREATMENT
    assert request.body().get("fast_pretreatment") is (True if sent else None)
    assert any("fast_pretreatment" in reason for reason in request.warnings) is not sent


def test_fast_pretreatment_needs_the_optimizer() -> None:
    request = TextToVideoRequest(prompt="x", fast_pretreatment=True, prompt_optimizer=False)
    assert "fast_pretreatment" not in request.body()
    assert "optimizer, which is off" in request.warnings[0]


def test_subject_on_the_wire() -> None:
    body = SubjectToVideoRequest(subject_image=URL, prompt="she winks").body()
    assert body == {
        "model": "S2V-01",
        "prompt": "she winks",
        "subject_reference": [{"type": "character", "image": [URL]}],
    }


@pytest.mark.parametrize(
    "given", [{"duration": 6}, {"resolution": "720P"}, {"resolution": "1080P", "duration": 6}]
)
def test_subject_mode_takes_sizes_and_never_sends_them(given: dict[str, Any]) -> None:
    request = SubjectToVideoRequest(subject_image=URL, **given)
    assert request.body().keys() == {"model", "subject_reference"}
    assert "left out, and the service chooses" in request.warnings[0]


@pytest.mark.parametrize(("field", "value"), [("duration", 10), ("resolution", "768P")])
def test_subject_mode_refuses_sizes_that_nobody_lists(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        SubjectToVideoRequest(subject_image=URL, **{field: value})
    assert refused.value.field == field


def test_a_last_frame_alone_is_sent_with_a_warning() -> None:
    request = StartEndToVideoRequest(last_frame_image=URL)
    assert "first_frame_image" not in request.body()
    assert "needs first_frame_image" in request.warnings[0]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_is_sent_and_asks_for_its_inputs(template: Any) -> None:
    inputs = {"image": URL if template.image else None, "text": "Lion" if template.text else None}
    body = TemplateRequest(template=template.name, **inputs).body()
    assert body["template_id"] == template.id
    assert body.get("media_inputs") == ([{"value": URL}] if template.image else None)
    assert body.get("text_inputs") == ([{"value": "Lion"}] if template.text else None)
    for name, value in inputs.items():
        wrong = inputs | {name: None if value else "x"}
        with pytest.raises(InvalidRequest) as refused:
            TemplateRequest(template=template.id, **wrong)
        assert refused.value.field == name


@pytest.mark.parametrize(
    "name", ["Winter Romance", "winter romance", "情书写真", "393857704283172864", "393857704283172856"]
)
def test_winter_romance_is_sent_under_its_true_id(name: str) -> None:
    request = TemplateRequest(template=name, image=URL)
    assert request.body()["template_id"] == "393857704283172864"
    assert bool(request.warnings) == name.endswith("856")


def test_template_ids_survive_as_text() -> None:
    assert all(isinstance(template.id, str) and len(template.id) == 18 for template in TEMPLATES)
    assert len({template.id for template in TEMPLATES}) == len(TEMPLATES)
    assert find_template("") is None


DOUBTFUL = [
    (TextToVideoRequest, {"prompt": "x", "model": "MiniMax-Hailuo-2.3-Fast"}, "image-to-video only"),
    (TextToVideoRequest, {"prompt": "x", "model": "MiniMax-Hailuo-02", "resolution": "512P"}, "512P"),
    (ImageToVideoRequest, {"first_frame_image": URL, "duration": 10}, "only 6 s"),
    (
        ImageToVideoRequest,
        {"first_frame_image": URL, "model": "MiniMax-Hailuo-02", "duration": 10, "resolution": "1080P"},
        "6 s only at 1080P",
    ),
    (SubjectToVideoRequest, {"subject_image": [URL, URL]}, "exactly one picture"),
    (TemplateRequest, {"template": "393857704283172856", "image": URL}, "published slip"),
]


@pytest.mark.parametrize(("kind", "fields", "reason"), DOUBTFUL)
def test_what_the_sources_disagree_on_is_sent_with_a_warning(
    kind: Any, fields: dict[str, Any], reason: str
) -> None:
    with pytest.warns(MiniMaxCatalogWarning, match=reason):
        assert kind(**fields).body()


def test_a_warning_is_given_once_in_a_process() -> None:
    script = (
        "from minimax_tasks import TextToVideoRequest as T; [T(prompt=str(n), model='%s') for n in range(9)]"
    )
    run = subprocess.run(
        [sys.executable, "-c", script % "MiniMax-Hailuo-2.3-Fast"], capture_output=True, text=True, check=True
    )
    assert run.stderr.count(": MiniMaxCatalogWarning: ") == 1


def test_what_nobody_doubts_gives_no_warning() -> None:
    assert not TextToVideoRequest(prompt="x").warnings
    assert not ImageToVideoRequest(first_frame_image=URL).warnings


def test_every_row_names_its_source() -> None:
    for model_mode in MODEL_MODES:
        assert model_mode.source in SOURCES
        assert all(size.source in SOURCES for size in model_mode.sizes)
        assert all(price.source in SOURCES for price in model_mode.prices)
    assert all(template.source in SOURCES for template in TEMPLATES)


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"prompt": "x" * 2001}, "prompt", "2001 characters"),
        ({"prompt": ""}, "prompt", "needs one"),
        ({"prompt": "   "}, "prompt", "needs one"),
        ({}, "prompt", "needs one"),
        ({"prompt": "x", "model": "hailuo-2.3"}, "model", "did you mean MiniMax-Hailuo-2.3?"),
        ({"prompt": "x", "duration": "6"}, "duration", "whole number"),
        ({"prompt": "x", "duration": True}, "duration", "whole number"),
        ({"prompt": "x", "duration": 6.5}, "duration", "whole number"),
        ({"prompt": "x", "prompt_optimizer": "no"}, "prompt_optimizer", "true or false"),
        ({"prompt": "x", "callback_url": "ftp://x"}, "callback_url", "http"),
        ({"prompt": "x", "promt": "y"}, "promt", "did you mean prompt?"),
        ({"prompt": "x", "first_frame_image": URL}, "first_frame_image", "no such field"),
    ],
)
def test_refusals_name_the_field_the_value_and_what_is_allowed(
    fields: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        TextToVideoRequest(**fields)
    assert refused.value.field == field
    assert says in str(refused.value)
    assert refused.value.allowed
    assert isinstance(refused.value, ValueError)


def test_a_path_is_never_sent_as_a_picture() -> None:
    with pytest.raises(InvalidRequest, match="was not read yet"):
        ImageToVideoRequest(first_frame_image="a.png").body()


def test_what_is_wrong_with_a_request_or_the_balance_is_not_paid_for_again() -> None:
    final = [row.code for row in ERROR_CODES if error_from_code(row.code, "", host="").is_about_the_request]
    assert final == [1008, 1026, 1027, 1042, 2013]
    assert not error_from_code(0, "", host="").is_about_the_request, "a failure without a reason"
