"""A sandbox to talk to over real HTTP, and pictures to send."""

import base64
import io
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from PIL import Image

from minimax_tasks.sandbox import Sandbox
from tests.drawn_once import draw_each

KEY = "sk-api-not-to-be-written-down"
T2V = {"model": "MiniMax-Hailuo-2.3", "prompt": "A lighthouse at dusk"}


@dataclass(frozen=True)
class Api:
    """The endpoints as a client sees them."""

    sandbox: Sandbox
    http: httpx.Client

    def submit(self, **body: Any) -> dict[str, Any]:
        return self.http.post("/v1/video_generation", json={**T2V, **body}).json()

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.http.post("/v1/video_generation", json=body).json()

    def template(self, **body: Any) -> dict[str, Any]:
        return self.http.post("/v1/video_template_generation", json=body).json()

    def query(self, task_id: str) -> dict[str, Any]:
        return self.http.get("/v1/query/video_generation", params={"task_id": task_id}).json()

    def query_template(self, task_id: str) -> dict[str, Any]:
        return self.http.get("/v1/query/video_template_generation", params={"task_id": task_id}).json()

    def retrieve(self, file_id: str) -> dict[str, Any]:
        return self.http.get("/v1/files/retrieve", params={"file_id": file_id}).json()

    def wait(self, task_id: str, *, template: bool = False) -> dict[str, Any]:
        ask = self.query_template if template else self.query
        return until(lambda: ask(task_id), lambda answer: answer["status"] in ("Success", "Fail"))

    def url(self, task_id: str) -> str:
        return self.retrieve(self.wait(task_id)["file_id"])["file"]["download_url"]

    def video(self, **body: Any) -> bytes:
        """The clip of a new task."""
        return fetch(self.url(self.submit(**body)["task_id"])).content

    def entry(self, task_id: str) -> dict[str, Any]:
        return next(entry for entry in self.sandbox.ledger() if entry["task_id"] == task_id)


Serve = Callable[..., Api]


def fetch(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False, verify=False)


def until(ask: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while not good(answer := ask()):
        assert time.monotonic() < end, f"still {answer}"
        time.sleep(0.02)
    return answer


def received_until_cut(answer: AbstractContextManager[httpx.Response]) -> bytes:
    """The bytes of a streamed answer whose connection breaks, which it must."""
    data = bytearray()
    try:
        with answer as response:
            for chunk in response.iter_raw():
                data += chunk
    except httpx.RemoteProtocolError:
        return bytes(data)
    raise AssertionError("the connection was not cut")


def data_url(image: Image.Image | bytes, kind: str = "PNG", **save: Any) -> str:
    if isinstance(image, Image.Image):
        out = io.BytesIO()
        image.save(out, kind, **save)
        image = out.getvalue()
    return f"data:image/{kind.lower()};base64,{base64.b64encode(image).decode()}"


def still(width: int = 640, height: int = 360, colour: str = "teal") -> Image.Image:
    return Image.new("RGB", (width, height), colour)


@pytest.fixture
def each_drawn(_drawn_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is the drawing that is tested, the sandbox draws each clip, and takes none that was drawn for another test."""
    draw_each(monkeypatch)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a sandbox that draws small and at once, unless told otherwise; `idle` draws nothing."""
    with ExitStack() as stack:

        def start(*, idle: bool = False, **options: Any) -> Api:
            if idle:
                options["faults"] = [*options.get("faults", ()), {"at": "task", "stuck": "Preparing"}]
            sandbox = stack.enter_context(Sandbox(**{"latency": 0.0, "scale": "90P", **options}))
            headers = {"Authorization": f"Bearer {KEY}"}
            http = httpx.Client(
                base_url=sandbox.url, headers=headers, trust_env=False, verify=False, timeout=30.0
            )
            return Api(sandbox, stack.enter_context(http))

        yield start


@pytest.fixture(scope="module")
def _shared() -> Iterator[Api]:
    with Sandbox(latency=0.0, scale="90P") as sandbox:
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(
            base_url=sandbox.url, headers=headers, trust_env=False, verify=False, timeout=30.0
        ) as http:
            yield Api(sandbox, http)


@pytest.fixture
def api(_shared: Api) -> Api:
    """A sandbox that the tests of a module share."""
    return _shared
