"""Both generations of the API, the download host and the sandbox's own pages as one ASGI app.

The order of a submit: the key (1004, 2049), the limit per minute (1002), the request (2013), faults, and
only then the task is accepted and in the journal. Business errors are HTTP 200 with a `base_resp`; paths
that the service does not have are a plain HTML page with 404, as recorded.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.v1.endpoints import GENERATION, TEMPLATE_GENERATION
from minimax_tasks.errors import ConfigurationError, ControlFlow
from minimax_tasks.sandbox.drawing.pictures import Pictures
from minimax_tasks.sandbox.engine import Engine
from minimax_tasks.sandbox.http.broken_responses import CutResponse
from minimax_tasks.sandbox.http.callbacks import Callbacks
from minimax_tasks.sandbox.http.faults import (
    DownloadFault,
    Fault,
    FaultBook,
    QueryFault,
    RetrieveFault,
    SubmitFault,
    parse_faults,
)
from minimax_tasks.sandbox.http.openapi import describe
from minimax_tasks.sandbox.http.pages import TraceIds, broken, gateway_page, not_found, storage_error
from minimax_tasks.sandbox.http.signing import UrlSigner
from minimax_tasks.sandbox.http.v2.routes import LINK_FACTOR, Desk, SecondGeneration
from minimax_tasks.sandbox.http.v2.uploads import Uploads
from minimax_tasks.sandbox.http.v2.wire import plain_not_found
from minimax_tasks.sandbox.http.validation import (
    AcceptedRequest,
    missing,
    mistyped,
    read_generation,
    read_template,
)
from minimax_tasks.sandbox.http.visitors import refusal
from minimax_tasks.sandbox.http.wire import (
    FILE_NAME,
    AddedFaults,
    BaseResp,
    FaultsProblem,
    FileObject,
    QueryAnswer,
    Refused,
    RetrieveAnswer,
    SubmitAnswer,
    TemplateQueryAnswer,
)
from minimax_tasks.sandbox.task import SandboxTask

MAX_BODY = 64_000_000
"""Longest body of a submit: two pictures of 20 MB in base64 are 53 MB."""

MAX_FAULTS_BODY = 256_000
"""Longest list of faults: some thousand."""

LARGE_BODY = 1_000_000
LARGE_BODIES_AT_ONCE = 8
"""Hundreds of large submits at once would otherwise be in memory at once."""

TEMPLATE_URL_FACTOR = 9
"""A template's `video_url` lives 9 hours where a `download_url` lives one (source: the two queries)."""

MINUTE = 60.0

_Answer = SubmitAnswer | QueryAnswer | TemplateQueryAnswer | RetrieveAnswer


@dataclass(frozen=True)
class SandboxOptions:
    """How a sandbox behaves. Times in seconds; the one key that is accepted is only held as a digest."""

    latency: float = 2.0
    scale: str | None = None
    rpm: int | None = None
    key_digest: bytes | None = None
    url_lifetime: float = 3600.0
    list_lag: float = 0.0
    """Seconds after which a task is in the list of the second generation."""
    kept_seconds: float = 7 * 86_400.0
    """Age at which a task of the second generation is forgotten."""
    in_flight: int | None = None
    """Most tasks of the second generation at once; None for any number."""
    former_remembers: bool = False
    """Whether the first generation's query still knows tasks that the second has forgotten."""


class SandboxApp:
    """One sandbox over a folder; `asgi` is the app, whose lifespan must be run.

    `served` is the host that it listens on.
    """

    def __init__(
        self, folder: Path, options: SandboxOptions, faults: Sequence[Fault] = (), served: str = "127.0.0.1"
    ) -> None:
        self._options = options
        self._served = served
        self._faults = FaultBook(faults)
        self._engine = Engine(folder, self._faults, latency=options.latency, scale=options.scale)
        self._callbacks = Callbacks(
            self._faults, lambda base, task: self._link(base, task, options.url_lifetime * LINK_FACTOR)
        )
        self._signer = UrlSigner()
        self._recent_submits: deque[float] = deque()
        self._large_bodies = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)
        self._reading_faults = asyncio.Lock()
        desk = Desk(
            check_key=self._check_key,
            check_rate=self._check_rate,
            read=self._read,
            body=_body,
            link=self._link,
            start_callbacks=self._callbacks.start,
            too_large=_TooLarge,
            link_seconds=options.url_lifetime,
            list_lag=options.list_lag,
            kept_seconds=options.kept_seconds,
            in_flight=options.in_flight,
        )
        self._second = SecondGeneration(self._engine, self._faults, Uploads(folder / "uploads"), desk)
        self.asgi = Starlette(
            routes=[
                Route(GENERATION.submit_path, self._submit_generation, methods=["POST"]),
                Route(GENERATION.query_path, self._query_generation),
                Route(GENERATION.retrieve_path, self._retrieve),
                Route(TEMPLATE_GENERATION.submit_path, self._submit_template, methods=["POST"]),
                Route(TEMPLATE_GENERATION.query_path, self._query_template),
                Route(f"/sandbox/files/{{file_id}}/{FILE_NAME}", self._download),
                *self._second.routes,
                Route("/sandbox/ledger", self._ledger),
                Route("/sandbox/clock", self._set_clock, methods=["POST"]),
                Route("/sandbox/faults", self._list_faults),
                Route("/sandbox/faults", self._add_faults, methods=["POST"]),
                Route("/openapi.json", self._openapi),
            ],
            lifespan=self._lifespan,
            middleware=[Middleware(TraceIds)],
            exception_handlers={404: _not_found, 405: _not_found, Exception: broken},
        )
        self.asgi.router.redirect_slashes = False

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._engine.resume()
        yield
        await self._callbacks.stop()

    def close(self) -> None:
        """End what is still drawn. Call it when the server has stopped."""
        self._engine.close()

    async def _submit_generation(self, request: Request) -> Response:
        return await self._submit(request, read_generation)

    async def _submit_template(self, request: Request) -> Response:
        return await self._submit(request, read_template)

    async def _submit(
        self, request: Request, reader: Callable[[bytearray, Pictures], AcceptedRequest]
    ) -> Response:
        try:
            self._check_key(request)
            self._check_rate()
            accepted = await self._read(request, reader)
        except Refused as refused:
            return _json(SubmitAnswer(base_resp=refused.base_resp))
        except _TooLarge:
            return gateway_page(413)
        except ClientDisconnect:
            return gateway_page(400)
        fault = self._faults.strike(SubmitFault, accepted.fingerprint, accepted.prompt)
        if fault is not None and fault.prevents:
            return await _under(fault, SubmitAnswer(base_resp=BaseResp()))
        task = self._engine.accept(accepted)
        if accepted.callback_url:
            self._callbacks.start(task)
        return await _under(fault, SubmitAnswer(task_id=task.record.task_id, base_resp=BaseResp()))

    async def _query_generation(self, request: Request) -> Response:
        try:
            task = self._asked_task(request, GENERATION)
        except Refused as refused:
            return _json(QueryAnswer(base_resp=refused.base_resp))
        status = task.status(time.time())
        done = status == "Success"
        answer = QueryAnswer(
            task_id=task.record.task_id,
            status=status,
            file_id=task.record.file_id if done else "",
            video_width=task.record.width if done else 0,
            video_height=task.record.height if done else 0,
            base_resp=task.base_resp(status),
        )
        return await self._answer_query(task, answer)

    async def _query_template(self, request: Request) -> Response:
        try:
            task = self._asked_task(request, TEMPLATE_GENERATION)
        except Refused as refused:
            return _json(TemplateQueryAnswer(base_resp=refused.base_resp))
        status = task.status(time.time())
        lifetime = self._options.url_lifetime * TEMPLATE_URL_FACTOR
        answer = TemplateQueryAnswer(
            task_id=task.record.task_id,
            status=status,
            video_url=self._signed_url(request, task, lifetime) if status == "Success" else None,
            base_resp=task.base_resp(status),
        )
        return await self._answer_query(task, answer)

    async def _answer_query(self, task: SandboxTask, answer: QueryAnswer | TemplateQueryAnswer) -> Response:
        fault = self._faults.strike(QueryFault, task.record.clip_key, task.record.accepted.prompt)
        if fault is not None and fault.word:
            answer = answer.model_copy(update={"status": fault.word})
        return await _under(fault, answer)

    async def _retrieve(self, request: Request) -> Response:
        try:
            self._check_key(request)
            task = self._asked_file(request)
        except Refused as refused:
            return _json(RetrieveAnswer(base_resp=refused.base_resp))
        fault = self._faults.strike(RetrieveFault, task.record.clip_key, task.record.accepted.prompt)
        empty = fault is not None and fault.empty_url
        file = FileObject(
            file_id=int(task.record.file_id),
            created_at=int(task.ready_at),
            download_url="" if empty else self._signed_url(request, task, self._options.url_lifetime),
        )
        return await _under(fault, RetrieveAnswer(file=file, base_resp=BaseResp()))

    async def _download(self, request: Request) -> Response:
        task = self._engine.file(request.path_params["file_id"])
        if task is None:
            return storage_error(404, "NoSuchKey", "The specified key does not exist.")
        if "Authorization" in request.headers:
            self._engine.note_leaked_key(task)
        expires, signature = (request.query_params.get(name, "") for name in ("Expires", "Signature"))
        if not self._signer.is_signed(task.record.file_id, expires, signature):
            return storage_error(403, "SignatureDoesNotMatch", "The signature is not the one of this URL.")
        fault = self._faults.strike(DownloadFault, task.record.clip_key, task.record.accepted.prompt)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.http:
                return gateway_page(fault.http)
        if self._signer.is_expired(expires) or (fault is not None and fault.expired):
            return storage_error(403, "AccessDenied", "Request has expired.")
        clip = await self._engine.clip(task)
        if request.method == "GET":
            self._engine.note_download(task)
        response = FileResponse(clip, media_type="video/mp4")
        if fault is not None and (fault.lost or fault.cut is not None):
            return CutResponse(response, None if fault.lost else fault.cut)
        return response

    async def _ledger(self, request: Request) -> Response:
        if problem := refusal(request, self._served):
            return _problem(problem, 403)
        tasks, now = self._engine.all(), time.time()
        return await run_in_threadpool(lambda: JSONResponse([task.entry(now).payload() for task in tasks]))

    async def _list_faults(self, request: Request) -> Response:
        if problem := refusal(request, self._served):
            return _problem(problem, 403)
        return JSONResponse(self._faults.listing())

    async def _add_faults(self, request: Request) -> Response:
        if problem := refusal(request, self._served):
            return _problem(problem, 403)
        try:
            body = await _body(request, MAX_FAULTS_BODY)
            # One list at a time, off the event loop: YAML takes seconds for what JSON says in milliseconds.
            async with self._reading_faults:
                faults = await run_in_threadpool(parse_faults, bytes(body))
            self._faults.add(faults)
        except _TooLarge:
            return _problem(f"a list of faults has at most {MAX_FAULTS_BODY:,} bytes", 413)
        except ClientDisconnect:
            return gateway_page(400)
        except ConfigurationError as error:
            return _problem(str(error), 422)
        return JSONResponse(AddedFaults(added=len(faults)).payload())

    async def _set_clock(self, request: Request) -> Response:
        """Let the window in which tasks are known move on."""
        if problem := refusal(request, self._served):
            return _problem(problem, 403)
        try:
            ahead = float(json.loads(await _body(request, MAX_FAULTS_BODY))["ahead"])
            if not math.isfinite(ahead):
                raise ValueError("no number of seconds")
        except (ValueError, KeyError, TypeError):
            return _problem('a clock is set by {"ahead": SECONDS}', 422)
        self._second.ahead = ahead
        return JSONResponse({"ahead": ahead})

    async def _openapi(self, request: Request) -> Response:
        return JSONResponse(describe())

    def _check_key(self, request: Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() != "bearer" or not key.strip():
            raise Refused(1004)
        wanted = self._options.key_digest
        if wanted is not None and not hmac.compare_digest(digest_key(key), wanted):
            raise Refused(2049)

    def _check_rate(self) -> None:
        if self._options.rpm is None:
            return
        now = time.monotonic()
        while self._recent_submits and self._recent_submits[0] <= now - MINUTE:
            self._recent_submits.popleft()
        if len(self._recent_submits) >= self._options.rpm:
            raise Refused(1002)
        self._recent_submits.append(now)

    async def _read(
        self, request: Request, reader: Callable[[bytearray, Pictures], AcceptedRequest]
    ) -> AcceptedRequest:
        large = LARGE_BODY < _length(request) <= MAX_BODY
        async with self._large_bodies if large else contextlib.nullcontext():
            body = await _body(request, MAX_BODY)
            if b"data:" not in body:
                return self._engine.read(body, reader)
            return await run_in_threadpool(self._engine.read, body, reader)

    def _asked_task(self, request: Request, endpoint: Endpoint) -> SandboxTask:
        self._check_key(request)
        task_id = request.query_params.get("task_id", "")
        if not task_id:
            raise Refused(2013, "invalid params, task_id cannot by empty")  # recorded, sic
        task = self._engine.task(task_id, endpoint)
        is_of_second = task.record.accepted.endpoint != endpoint
        if is_of_second and not self._options.former_remembers and self._second.is_forgotten(task):
            raise Refused(2013, "invalid params, task_id does not exist")
        return task

    def _asked_file(self, request: Request) -> SandboxTask:
        file_id = request.query_params.get("file_id", "")
        if not file_id:
            raise missing("file_id")
        if not file_id.isdecimal():
            raise mistyped("file_id")
        task = self._engine.file(file_id)
        if task is None:
            raise Refused(2013, "invalid params, file_id does not exist")
        return task

    def _signed_url(self, request: Request, task: SandboxTask, lifetime: float) -> str:
        # The host that the client knows the sandbox by, whatever address it listens on.
        return self._link(f"{request.url.scheme}://{request.headers.get('Host', '')}", task, lifetime)

    def _link(self, base: str, task: SandboxTask, lifetime: float) -> str:
        file_id = task.record.file_id
        return f"{base}/sandbox/files/{file_id}/{FILE_NAME}?{self._signer.query(file_id, lifetime)}"


def digest_key(key: str) -> bytes:
    """The form in which a sandbox holds a key."""
    return hashlib.sha256(key.strip().encode()).digest()


class _TooLarge(ControlFlow):
    pass


async def _body(request: Request, most: int) -> bytearray:
    """The body. Raises `_TooLarge` as soon as it is, `ClientDisconnect` when it does not come."""
    if _length(request) > most:
        raise _TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _TooLarge
    return body


def _length(request: Request) -> int:
    """What the head says of the body; the server has judged that it is a number."""
    return int(request.headers.get("Content-Length") or 0)


async def _not_found(request: Request, error: Exception) -> Response:
    second = request.url.path.startswith("/v2/")
    return plain_not_found() if second else await not_found(request, error)


def _problem(text: str, status: int) -> Response:
    return JSONResponse(FaultsProblem(error=text).payload(), status_code=status)


async def _under(fault: SubmitFault | QueryFault | RetrieveFault | None, answer: _Answer) -> Response:
    if fault is None:
        return _json(answer)
    await asyncio.sleep(fault.delay)
    if fault.http:
        response = gateway_page(fault.http)
    elif fault.code:
        response = _json(type(answer)(base_resp=BaseResp.of(fault.code, fault.message)))
    else:
        response = _json(answer)
    if fault.lost or fault.cut is not None:
        return CutResponse(response, None if fault.lost else fault.cut)
    return response


def _json(answer: _Answer) -> Response:
    return JSONResponse(answer.payload())
