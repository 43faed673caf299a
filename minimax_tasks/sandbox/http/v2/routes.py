"""The seven paths of the second generation. A create is judged in the order of `validation`; the rate comes last."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from minimax_tasks.api.catalog.models import V2_PICTURES, Mode
from minimax_tasks.api.client import UPLOAD_PATH
from minimax_tasks.api.v2.endpoints import GENERATION
from minimax_tasks.sandbox.drawing.pictures import Pictures
from minimax_tasks.sandbox.engine import Engine
from minimax_tasks.sandbox.http.broken_responses import CutResponse
from minimax_tasks.sandbox.http.faults import CancelFault, FaultBook, ListFault, QueryFault, SubmitFault
from minimax_tasks.sandbox.http.pages import gateway_page
from minimax_tasks.sandbox.http.v2.uploads import Uploads, read_form
from minimax_tasks.sandbox.http.v2.validation import Reader, read_regeneration, reader
from minimax_tasks.sandbox.http.v2.wire import (
    Created,
    Deleted,
    KeptFile,
    Rejected,
    TaskDocument,
    TaskList,
    Uploaded,
    plain_not_found,
    task_of,
)
from minimax_tasks.sandbox.http.validation import AcceptedRequest
from minimax_tasks.sandbox.http.wire import BaseResp, Refused
from minimax_tasks.sandbox.task import SandboxTask

REGENERATION_PATH = "/v2/video_regeneration"
ENHANCEMENT_PATH = "/v2/h3_context_ir"

MOST_UPLOADED = 55_000_000
DEFAULT_PAGE, LARGEST_PAGE = 20, 100
"""Neither is published."""

LINK_FACTOR = 168
"""A link lives a week where that of the first generation lives an hour; nothing is published."""


@dataclass(frozen=True)
class Desk:
    """What the routes need of the app around them."""

    check_key: Callable[[Request], None]
    check_rate: Callable[[], None]
    read: Callable[[Request, Reader], Awaitable[AcceptedRequest]]
    body: Callable[[Request, int], Awaitable[bytearray]]
    link: Callable[[str, SandboxTask, float], str]
    start_callbacks: Callable[[SandboxTask], None]
    too_large: type[Exception]
    link_seconds: float
    list_lag: float
    kept_seconds: float
    in_flight: int | None


class SecondGeneration:
    """The routes over an engine. `ahead` is how many seconds the clock of the window is ahead of the true one."""

    def __init__(self, engine: Engine, faults: FaultBook, uploads: Uploads, desk: Desk) -> None:
        self._engine = engine
        self._faults = faults
        self._uploads = uploads
        self._desk = desk
        self.ahead = 0.0

    @property
    def routes(self) -> list[Route]:
        """All of them."""
        one = f"{GENERATION.query_path}/{{task_id}}"
        return [
            Route(GENERATION.submit_path, self._create, methods=["POST"]),
            Route(ENHANCEMENT_PATH, self._enhance, methods=["POST"]),
            Route(REGENERATION_PATH, self._regenerate, methods=["POST"]),
            Route(GENERATION.list_path, self._list),
            Route(one, self._query),
            Route(f"{GENERATION.cancel_path}/{{task_id}}", self._delete, methods=["DELETE"]),
            Route(UPLOAD_PATH, self._upload, methods=["POST"]),
        ]

    def is_forgotten(self, task: SandboxTask) -> bool:
        """Whether a task is older than the window, or its record was deleted."""
        now = time.time() + self.ahead
        return task.deleted or task.record.created_at < now - self._desk.kept_seconds

    async def _create(self, request: Request) -> Response:
        return await self._accept(request, reader(self._uploads))

    async def _enhance(self, request: Request) -> Response:
        return await self._accept(request, reader(self._uploads, enhances=True))

    async def _regenerate(self, request: Request) -> Response:
        def read(body: bytearray, pictures: Pictures) -> AcceptedRequest:
            source, prompt, asked = read_regeneration(body)
            if not source:
                empty = AcceptedRequest(Mode.TEXT, prompt, "2K", 5, 24, {}, endpoint_name=GENERATION.name)
            else:
                task = self._task(source)
                if task.status(time.time()) != "Success":
                    raise Rejected(2013, "invalid params, source task has not succeeded")
                empty = task.record.accepted
            request = {"model": "MiniMax-H3", **asked.values}
            return replace(
                empty, resolution="2K", request=request, ratio="", task_type="regeneration",
                callback_url=asked.text("callback_url"),
            )  # fmt: skip

        return await self._accept(request, read)

    async def _accept(self, request: Request, read: Reader) -> Response:
        try:
            self._check_key(request)
            accepted = await self._read(request, read)
            self._check_rate()
        except Rejected as rejected:
            return rejected.response()
        except self._desk.too_large:
            return gateway_page(413)
        except ClientDisconnect:
            return gateway_page(400)
        fault = self._faults.strike(SubmitFault, accepted.fingerprint, accepted.prompt)
        if fault is not None and fault.prevents:
            return await _under(fault, JSONResponse({}))
        task = self._engine.accept(accepted)
        task.base = _base(request)
        if accepted.callback_url:
            self._desk.start_callbacks(task)
        return await _under(fault, JSONResponse(Created(task_id=task.record.task_id).payload()))

    async def _query(self, request: Request) -> Response:
        try:
            self._check_key(request)
            task = self._task(request.path_params["task_id"])
        except Rejected as rejected:
            return rejected.response()
        fault = self._faults.strike(QueryFault, task.record.clip_key, task.record.accepted.prompt)
        told = task_of(task, url=self._link(request, task), word=fault.word if fault else "")
        return await _under(fault, JSONResponse(TaskDocument(task=told).payload()))

    async def _list(self, request: Request) -> Response:
        try:
            self._check_key(request)
            page, size = _page(request)
        except Rejected as rejected:
            return rejected.response()
        fault = self._faults.strike(ListFault, "list", "")
        lag = self._desk.list_lag if fault is None or fault.late is None else fault.late
        told = [task_of(task, url=self._link(request, task), listed=True) for task in self._visible(lag)]
        wanted = [one for one in told if _passes(request, one.model_dump())]
        total = len(wanted)
        if fault is not None and fault.shuffle:
            wanted.sort(key=lambda one: one.id[::-1])
        items = wanted[(page - 1) * size : page * size]
        if fault is not None and fault.short is not None:
            items = items[: fault.short]
        answer = TaskList(items=tuple(items), total=total)
        return await _under(fault, JSONResponse(answer.payload()))

    async def _delete(self, request: Request) -> Response:
        try:
            self._check_key(request)
            task = self._task(request.path_params["task_id"])
            fault = self._faults.strike(CancelFault, task.record.clip_key, task.record.accepted.prompt)
            if fault is not None and (fault.http or fault.code) and not fault.accepted:
                return await _under(fault, JSONResponse({}))
            answer = self._end(task)
        except Rejected as rejected:
            return rejected.response()
        return await _under(fault, JSONResponse(answer.payload()))

    def _end(self, task: SandboxTask) -> Deleted:
        task_id, stage = task.record.task_id, task.status(time.time())
        if stage in ("Preparing", "Queueing"):
            self._engine.cancel(task)
            return Deleted(task_id=task_id, action="cancelled", status="cancelled")
        if stage == "Processing":
            raise Rejected(2013, "invalid params, task cannot be cancelled while processing")
        if stage == "Cancelled":
            raise Rejected(2013, "invalid params, task is already cancelled")
        self._engine.delete(task)
        return Deleted(task_id=task_id, action="deleted", status="deleted")

    async def _upload(self, request: Request) -> Response:
        try:
            self._check_key(request)
            body = await self._desk.body(request, MOST_UPLOADED)
            form = read_form(request.headers.get("Content-Type", ""), bytes(body))
            self._judge_upload(form.data)
        except Rejected as rejected:
            return rejected.response()
        except Refused as refused:
            return Rejected(refused.base_resp.status_code, refused.base_resp.status_msg).response()
        except self._desk.too_large:
            return gateway_page(413)
        except ClientDisconnect:
            return gateway_page(400)
        kept = self._uploads.keep(form.data)
        file = KeptFile(
            file_id=kept,
            bytes=len(form.data),
            created_at=int(time.time()),
            filename=form.filename,
            purpose=form.purpose,
        )
        return JSONResponse(Uploaded(file=file, base_resp=BaseResp()).payload())

    def _judge_upload(self, data: bytes) -> None:
        kinds = (b"\xff\xd8", b"\x89PNG", b"RIFF", b"ID3", b"\xff\xfb", b"\xff\xf3")
        if data[4:8] == b"ftyp" or data.startswith(kinds):
            return
        raise Rejected(
            2013, f"invalid params, file format is not supported, at most {V2_PICTURES.says_bytes}"
        )

    def _visible(self, lag: float) -> list[SandboxTask]:
        """The tasks that the list knows by now, newest first."""
        now = time.time()
        ours = [task for task in self._engine.all() if task.record.accepted.endpoint == GENERATION]
        seen = [task for task in ours if not self.is_forgotten(task) and task.record.created_at <= now - lag]
        return seen[::-1]

    def _task(self, task_id: str) -> SandboxTask:
        if not task_id.isdecimal():
            raise Rejected(1000, "record not found")  # recorded
        try:
            task = self._engine.task(task_id, GENERATION)
        except Refused:
            raise Rejected(2013, "invalid params, invalid task_id") from None  # recorded
        if self.is_forgotten(task):
            raise Rejected(2013, "invalid params, invalid task_id")
        return task

    def _check_key(self, request: Request) -> None:
        _as_rejected(lambda: self._desk.check_key(request))

    def _check_rate(self) -> None:
        most = self._desk.in_flight
        if most is not None:
            now = time.time()
            under_way = ("Preparing", "Queueing", "Processing")
            if sum(task.status(now) in under_way for task in self._visible(0.0)) >= most:
                raise Rejected(1002)
        _as_rejected(self._desk.check_rate)

    async def _read(self, request: Request, read: Reader) -> AcceptedRequest:
        try:
            return await self._desk.read(request, read)
        except Refused as refused:
            raise Rejected(refused.base_resp.status_code, refused.base_resp.status_msg) from None

    def _link(self, request: Request, task: SandboxTask) -> str:
        return self._desk.link(_base(request), task, self._desk.link_seconds * LINK_FACTOR)


def _as_rejected(check: Callable[[], None]) -> None:
    try:
        check()
    except Refused as refused:
        code = refused.base_resp.status_code
        raise Rejected(code) from None


def _base(request: Request) -> str:
    # The host that the client knows the sandbox by, whatever address it listens on.
    return f"{request.url.scheme}://{request.headers.get('Host', '')}"


def _page(request: Request) -> tuple[int, int]:
    found = []
    for name, default in (("page_num", 1), ("page_size", DEFAULT_PAGE)):
        text = request.query_params.get(name, str(default))
        if not text.isdecimal() or int(text) < 1:
            raise Rejected(2013, f"invalid params, param '{name}' must be a positive integer")
        found.append(int(text))
    return found[0], min(found[1], LARGEST_PAGE)


def _passes(request: Request, task: dict[str, object]) -> bool:
    for name in ("status", "model", "task_type"):
        wanted = request.query_params.getlist(f"filter.{name}")
        if wanted and task[name] not in wanted:
            return False
    ids = request.query_params.getlist("filter.task_ids")
    return not ids or str(task["id"]) in ids


async def _under(
    fault: SubmitFault | QueryFault | ListFault | CancelFault | None, response: Response
) -> Response:
    if fault is None:
        return response
    await asyncio.sleep(fault.delay)
    if fault.http == 404:
        response = plain_not_found()
    elif fault.http:
        response = gateway_page(fault.http)
    elif fault.code:
        response = Rejected(fault.code, fault.message).response()
    elif fault.in_ok:
        response = Rejected(fault.code or 1000, fault.message or "upstream timeout", bare=True).response(
            in_ok=fault.in_ok
        )
    if fault.lost or fault.cut is not None:
        return CutResponse(response, None if fault.lost else fault.cut)
    return response
