"""The fields of the request models are the one list of what can be asked for; what repeats them is read from them."""

import pytest

from minimax_tasks import ImageToVideo, StartEndToVideo, SubjectToVideo, TemplateVideo, TextToVideo
from minimax_tasks.api.catalog.models import Mode, model_modes
from minimax_tasks.api.endpoints import ENDPOINTS, endpoint_of
from minimax_tasks.api.requests import REQUESTS, VideoRequest, mode_of
from minimax_tasks.api.v1.endpoints import GENERATION, TEMPLATE_GENERATION
from minimax_tasks.dataset.table import parse_table
from minimax_tasks.sandbox.http.openapi import describe
from minimax_tasks.sandbox.http.validation import FLAGS

TASKS = (TextToVideo, ImageToVideo, StartEndToVideo, SubjectToVideo, TemplateVideo)
WIRE = {"subject_image": "subject_reference"}
"""Fields that have another name on the wire."""


@pytest.mark.parametrize("task", TASKS, ids=[task.__name__ for task in TASKS])
def test_a_task_has_the_fields_of_its_request_as_parameters(task: type) -> None:
    parameters = dict(task.get_params())
    fields = REQUESTS[task.mode].model_fields
    assert set(parameters) == {*fields, "root", "take"}
    for name, field in fields.items():
        assert not field.description or parameters[name].description == field.description
        if not field.is_required() and name in parameters and parameters[name].has_task_value("", name):
            given = parameters[name].task_value("", name)
            assert given in (field.default, field.default or "")


@pytest.mark.parametrize("mode", list(Mode))
def test_a_table_has_a_column_for_each_field(mode: Mode) -> None:
    for name in REQUESTS[mode].model_fields:
        wrong = parse_table(f"{name}.csv", f"mode,template,{name.upper()}\n{mode},,\n".encode())
        known = name in ("template", "image", "text")  # common names, which count beside a template alone
        assert known or f"the request field is called {name!r}" in wrong.problems[0].text


@pytest.mark.parametrize("mode", list(Mode))
def test_a_request_tells_its_mode_by_a_field_that_it_needs(mode: Mode) -> None:
    request = REQUESTS[mode]
    required = {name for name, field in request.model_fields.items() if field.is_required()}
    # Of references any kind will do.
    needed = required or set(request.also_decided_by[:1])
    assert request.decided_by == "" or {request.decided_by, *request.also_decided_by} & needed
    assert mode_of(needed) is mode


def test_the_sandbox_describes_and_judges_the_fields_of_the_requests() -> None:
    described = describe()["components"]["schemas"]["GenerationRequest"]["properties"]
    first = {row.mode for row in model_modes() if row.endpoint is GENERATION}
    models = [REQUESTS[mode] for mode in Mode if mode in first]
    sent = {WIRE.get(name, name) for request in models for name in request.model_fields} - {"fit", "ratio"}
    assert set(described) == sent
    switches = {
        name: field.default
        for name, field in VideoRequest.model_fields.items()
        if field.annotation is bool and name != "fit"
    }
    assert switches == FLAGS


def test_a_submission_says_where_its_task_is_asked_for() -> None:
    assert {endpoint_of({"endpoint": name}) for name in ENDPOINTS} == set(ENDPOINTS.values())
    # As older versions wrote them, down to the task id alone.
    assert endpoint_of({"mode": str(Mode.TEMPLATE)}) is TEMPLATE_GENERATION
    assert endpoint_of({"mode": str(Mode.SUBJECT)}) is GENERATION
    assert endpoint_of({"task_id": "1"}) is GENERATION
    paths = [endpoint.query_path for endpoint in ENDPOINTS.values()]
    assert len(set(paths)) == len(paths)
