"""The description that the sandbox publishes is true of what it answers."""

import base64
from typing import Any

import pytest

from tests.sandbox.conftest import Api, Serve, data_url, fetch, still, until

PNG = base64.b64decode(data_url(still()).partition(",")[2])
KINDS = {"string": str, "integer": int, "array": list, "object": dict, "boolean": bool}


def fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether a value fits a schema, as far as the description uses JSON schema."""
    if "$ref" in schema:
        return fits(value, document["components"]["schemas"][schema["$ref"].split("/")[-1]], document)
    if "anyOf" in schema:
        return any(fits(value, each, document) for each in schema["anyOf"])
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return False
    kind = schema.get("type")
    if kind == "null":
        return value is None
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind and (not isinstance(value, KINDS[kind]) or (kind == "integer" and isinstance(value, bool))):
        return False
    if kind == "array":
        return all(fits(item, schema.get("items", {}), document) for item in value)
    if kind == "object":
        known = schema.get("properties", {})
        unknown_is_fine = schema.get("additionalProperties", True) is not False
        return (
            set(schema.get("required", [])) <= set(value)
            and (unknown_is_fine or set(value) <= set(known))
            and all(fits(item, known[name], document) for name, item in value.items() if name in known)
        )
    return True


@pytest.fixture(scope="module")
def document(_shared: Api) -> dict[str, Any]:
    found: dict[str, Any] = _shared.http.get("/openapi.json").json()
    return found


def check(document: dict[str, Any], method: str, path: str, response: Any) -> None:
    responses = document["paths"][path][method]["responses"]
    told = responses.get(str(response.status_code)) or responses["default"]
    kind = response.headers["Content-Type"].split(";")[0]
    assert kind in told["content"]
    assert set(told.get("headers", {})) <= {name.title() for name in response.headers}
    if kind == "application/json":
        assert fits(response.json(), told["content"][kind]["schema"], document), response.json()


def test_it_is_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/v1/video_generation",
        "/v1/query/video_generation",
        "/v1/files/retrieve",
        "/v1/video_template_generation",
        "/v1/query/video_template_generation",
        "/v1/files/upload",
        "/v2/video_generation",
        "/v2/h3_context_ir",
        "/v2/video_regeneration",
        "/v2/query/video_generation",
        "/v2/query/video_generation/{task_id}",
        "/v2/video_generation/{task_id}",
        "/sandbox/files/{file_id}/output_aigc.mp4",
        "/sandbox/ledger",
        "/sandbox/faults",
        "/openapi.json",
    }


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            found = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return found + [each for item in value.values() for each in references(item)]
        return [each for item in value for each in references(item)] if isinstance(value, list) else []

    schemas = document["components"]["schemas"]
    assert {name.removeprefix("#/components/schemas/") for name in references(document)} <= set(schemas)


@pytest.mark.parametrize("fault", [None, {"http": 503}, {"code": 1002}, {"word": "Pondering"}])
def test_answers_fit(serve: Serve, document: dict[str, Any], fault: dict[str, Any] | None) -> None:
    faults = [
        {"at": place, **fault}
        for place in ("submit", "query", "retrieve")
        if fault and (place == "query" or "word" not in fault)
    ]
    api = serve(latency=0.1)
    frame = data_url(still())
    clip = api.submit(first_frame_image=frame)["task_id"]
    template_body = {"template_id": "394246956137422856", "media_inputs": [{"value": frame}]}
    template = api.template(**template_body)["task_id"]

    def ask(method: str, path: str, **arguments: Any) -> None:
        check(document, method, path, api.http.request(method, path, **arguments))

    def ask_all() -> None:
        ask("get", "/v1/query/video_generation", params={"task_id": clip})
        ask("get", "/v1/query/video_template_generation", params={"task_id": template})
        ask("get", "/v1/files/retrieve", params={"file_id": api.entry(clip)["file_id"]})

    ask_all()
    api.wait(clip)
    api.wait(template, template=True)
    api.sandbox.add_faults(faults)
    ask_all()
    ask("post", "/v1/video_generation", json={"model": "T2V-01", "prompt": "x"})
    ask("post", "/v1/video_generation", json={})
    ask("post", "/v1/video_template_generation", json=template_body)
    ask("get", "/v1/query/video_generation")
    ask("get", "/v1/query/video_template_generation")
    ask("get", "/v1/files/retrieve")
    ask("get", "/sandbox/ledger")
    ask("get", "/sandbox/faults")
    ask("post", "/sandbox/faults", json=[{"at": "submit", "nth": 99, "delay": 1}])
    ask("post", "/sandbox/faults", json=[{}])
    ask("get", "/openapi.json")


H3 = {
    "model": "MiniMax-H3",
    "content": [{"type": "text", "text": "A pier"}],
    "resolution": "768P",
    "duration": 4,
    "ratio": "16:9",
}


@pytest.mark.parametrize("fault", [None, {"http": 503}, {"http": 404}, {"code": 1002}, {"code": 1026}])
def test_answers_of_the_second_generation_fit(
    serve: Serve, document: dict[str, Any], fault: dict[str, Any] | None
) -> None:
    api = serve(latency=0.1, scale="90P")
    task_id = api.http.post("/v2/video_generation", json=H3).json()["task_id"]
    one, gone = "/v2/query/video_generation/{task_id}", "/v2/video_generation/{task_id}"
    told = []

    def ask(method: str, path: str, task_id: str = task_id, **arguments: Any) -> None:
        response = api.http.request(method, path.replace("{task_id}", task_id), **arguments)
        check(document, method, path, response)
        told.append(response.status_code)

    def ask_all() -> None:
        ask("get", one)
        ask("get", one, "115334141465231360")
        ask("get", one, "x")
        ask(
            "get",
            "/v2/query/video_generation",
            params={"page_size": 2, "filter.status": ["queued", "running"]},
        )
        ask("get", "/v2/query/video_generation", params={"page_num": 0})
        ask("post", "/v2/video_generation", json=H3)
        ask("post", "/v2/video_generation", json={})
        ask("post", "/v2/video_generation", json=H3 | {"content": [{"type": {}}, {"type": []}]})
        ask("post", "/v2/h3_context_ir", json=H3)
        ask(
            "post",
            "/v2/video_regeneration",
            json={"model": "MiniMax-H3", "resolution": "2K", "source_task_id": "1"},
        )
        ask(
            "post",
            "/v1/files/upload",
            data={"purpose": "video_generation_input"},
            files={"file": ("a.txt", b"no film")},
        )
        picture = {"file": ("a.png", PNG)}
        ask("post", "/v1/files/upload", data={"purpose": "video_generation_input"}, files=picture)
        ask("delete", gone, "1")

    ask_all()
    assert {200, 400, 500} <= set(told)
    until(
        lambda: api.http.get(one.replace("{task_id}", task_id)).json()["task"]["status"],
        lambda status: status == "succeeded",
    )
    if fault:
        api.sandbox.add_faults([{"at": place, **fault} for place in ("submit", "query", "list", "cancel")])
    ask_all()
    ask("delete", gone)
    ask("get", one)


def test_a_failed_task_of_the_second_generation_fits(serve: Serve, document: dict[str, Any]) -> None:
    api = serve(faults=[{"at": "task", "fail": 1026}])
    task_id = api.http.post("/v2/video_generation", json=H3).json()["task_id"]
    place = f"/v2/query/video_generation/{task_id}"
    until(lambda: api.http.get(place).json()["task"]["status"], lambda status: status == "failed")
    check(document, "get", "/v2/query/video_generation/{task_id}", api.http.get(place))


def test_downloads_fit(api: Api, document: dict[str, Any]) -> None:
    url = api.url(api.submit()["task_id"])
    path = "/sandbox/files/{file_id}/output_aigc.mp4"
    for answer in (
        fetch(url),
        fetch(url, Range="bytes=0-9"),
        fetch(url, Range="bytes=x"),
        fetch(url.partition("?")[0]),
        fetch(url.replace(url.split("/")[5], "1")),
    ):
        check(document, "get", path, answer)


def test_a_failed_task_fits(serve: Serve, document: dict[str, Any]) -> None:
    api = serve(faults=[{"at": "task", "fail": 1027}])
    task_id = api.submit()["task_id"]
    api.wait(task_id)
    answer = api.http.get("/v1/query/video_generation", params={"task_id": task_id})
    check(document, "get", "/v1/query/video_generation", answer)
