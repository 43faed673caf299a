"""The five endpoints, the download host and the sandbox's own pages as one ASGI app.

The order of a submit: the key (1004, 2049), the limit per minute (1002), the request (2013), faults, and
only then the task is accepted and in the journal. Business errors are HTTP 200 with a `base_resp`; paths
that the service does not have are a plain HTML page with 404, as recorded.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import secrets
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.errors import ConfigurationError
from minimax_tasks.sandbox.callbacks import Callbacks
from minimax_tasks.sandbox.cutting import CutResponse
from minimax_tasks.sandbox.faults import (
    DownloadFault,
    Fault,
    FaultBook,
    QueryFault,
    RetrieveFault,
    SubmitFault,
    TaskFault,
    parse_faults,
)
from minimax_tasks.sandbox.jobs import Job, Ticket
from minimax_tasks.sandbox.openapi import describe
from minimax_tasks.sandbox.pictures import Pictures
from minimax_tasks.sandbox.renderer import clip_size, render_clip
from minimax_tasks.sandbox.rendering import Renders
from minimax_tasks.sandbox.store import Store
from minimax_tasks.sandbox.validation import Order, missing, mistyped, read_generation, read_template
from minimax_tasks.sandbox.wire import (
    BaseResp,
    FileObject,
    QueryAnswer,
    Refused,
    RetrieveAnswer,
    Status,
    SubmitAnswer,
    TemplateQueryAnswer,
)

MAX_BODY = 64_000_000
"""Longest body of a submit: two pictures of 20 MB in base64 are 53 MB."""

LARGE_BODY = 1_000_000
LARGE_BODIES_AT_ONCE = 8

TEMPLATE_URL_FACTOR = 9
"""A template's `video_url` lives 9 hours where a `download_url` lives one (source: the two queries)."""

MINUTE = 60.0

WireAnswer = SubmitAnswer | QueryAnswer | TemplateQueryAnswer | RetrieveAnswer

FILE_NAME = "output_aigc.mp4"


@dataclass(frozen=True)
class Settings:
    """How a sandbox behaves. Times in seconds; `key` is only ever held as its SHA-256."""

    latency: float = 2.0
    scale: str | None = None
    rpm: int | None = None
    key_digest: bytes | None = None
    url_lifetime: float = 3600.0


class SandboxApp:
    """One sandbox over a folder. `asgi` is the app; it must be started and stopped by its lifespan."""

    def __init__(self, folder: Path, settings: Settings, faults: Sequence[Fault] = ()) -> None:
        self._settings = settings
        self._pictures = Pictures(folder / "images")
        self._store = Store(folder / "journal.jsonl")
        self._renders = Renders(folder / "clips", self._draw)
        self._faults = FaultBook(faults)
        self._callbacks = Callbacks(self._faults)
        self._submits: deque[float] = deque()
        self._secret = secrets.token_bytes(32)
        self._large_bodies = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)
        self._awaited: set[str] = set()
        routes = [
            Route("/v1/video_generation", self._submit_generation, methods=["POST"]),
            Route("/v1/query/video_generation", self._query_generation),
            Route("/v1/files/retrieve", self._retrieve),
            Route("/v1/video_template_generation", self._submit_template, methods=["POST"]),
            Route("/v1/query/video_template_generation", self._query_template),
            Route("/sandbox/files/{file_id}/{name}", self._download),
            Route("/sandbox/ledger", self._ledger),
            Route("/sandbox/faults", self._list_faults),
            Route("/sandbox/faults", self._add_faults, methods=["POST"]),
            Route("/openapi.json", self._openapi),
        ]
        self.asgi = Starlette(
            routes=routes,
            lifespan=self._lifespan,
            middleware=[Middleware(_TraceId)],
            exception_handlers={404: _not_found, 405: _not_found},
        )
        self.asgi.router.redirect_slashes = False

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._callbacks.stop()
        self._store.close()

    def close(self) -> None:
        """Stop drawing. Call it when the server has stopped; a clip in work is given a moment."""
        self._renders.stop(patience=0.3)

    async def _submit_generation(self, request: Request) -> Response:
        return await self._submit(request, read_generation)

    async def _submit_template(self, request: Request) -> Response:
        return await self._submit(request, read_template)

    async def _submit(self, request: Request, read: Callable[[bytes, Pictures], Order]) -> Response:
        try:
            self._check_key(request)
            self._check_rate()
            order = await self._read(request, read)
        except Refused as refused:
            return _wire(SubmitAnswer(base_resp=refused.base_resp))
        except _TooLarge:
            return _page(413)
        fault = self._faults.strike(SubmitFault, order.fingerprint, order.prompt)
        if fault is not None and fault.prevents:
            return await _under(fault, SubmitAnswer(base_resp=BaseResp()))
        job = self._accept(order)
        return await _under(fault, SubmitAnswer(task_id=job.ticket.task_id, base_resp=BaseResp()))

    async def _query_generation(self, request: Request) -> Response:
        try:
            job, status = self._asked_task(request, template=False)
        except Refused as refused:
            return _wire(QueryAnswer(base_resp=refused.base_resp))
        done = status == "Success"
        answer = QueryAnswer(
            task_id=job.ticket.task_id,
            status=status,
            file_id=job.ticket.file_id if done else "",
            video_width=job.ticket.width if done else 0,
            video_height=job.ticket.height if done else 0,
            base_resp=job.base_resp(status),
        )
        return await self._answer_query(job, answer)

    async def _query_template(self, request: Request) -> Response:
        try:
            job, status = self._asked_task(request, template=True)
        except Refused as refused:
            return _wire(TemplateQueryAnswer(base_resp=refused.base_resp))
        lifetime = self._settings.url_lifetime * TEMPLATE_URL_FACTOR
        answer = TemplateQueryAnswer(
            task_id=job.ticket.task_id,
            status=status,
            video_url=self._signed_url(request, job, lifetime) if status == "Success" else None,
            base_resp=job.base_resp(status),
        )
        return await self._answer_query(job, answer)

    async def _answer_query(self, job: Job, answer: QueryAnswer | TemplateQueryAnswer) -> Response:
        fault = self._faults.strike(QueryFault, job.ticket.clip_key, job.ticket.order.prompt)
        if fault is not None and fault.word:
            answer = answer.model_copy(update={"status": fault.word})
        return await _under(fault, answer)

    async def _retrieve(self, request: Request) -> Response:
        try:
            self._check_key(request)
            job = self._asked_file(request.query_params.get("file_id", ""))
        except Refused as refused:
            return _wire(RetrieveAnswer(base_resp=refused.base_resp))
        fault = self._faults.strike(RetrieveFault, job.ticket.clip_key, job.ticket.order.prompt)
        url = self._signed_url(request, job, self._settings.url_lifetime)
        file = FileObject(
            file_id=int(job.ticket.file_id),
            created_at=int(job.ready_at),
            download_url="" if fault is not None and fault.empty_url else url,
        )
        return await _under(fault, RetrieveAnswer(file=file, base_resp=BaseResp()))

    async def _download(self, request: Request) -> Response:
        job = self._store.file(request.path_params["file_id"])
        if job is None or request.path_params["name"] != FILE_NAME:
            return _storage_error(404, "NoSuchKey", "The specified key does not exist.")
        if "Authorization" in request.headers:
            self._store.key_leaked(job)
        problem = self._signature_problem(request, job)
        if problem is not None:
            return problem
        fault = self._faults.strike(DownloadFault, job.ticket.clip_key, job.ticket.order.prompt)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.expired:
                return _EXPIRED
            if fault.http:
                return _page(fault.http)
        path = await asyncio.shield(asyncio.wrap_future(self._renders.clip(job.ticket, urgent=True)))
        if request.method == "GET":
            self._store.downloaded(job)
        response = FileResponse(path, media_type="video/mp4")
        if fault is not None and (fault.lost or fault.cut is not None):
            return CutResponse(response, None if fault.lost else fault.cut)
        return response

    async def _ledger(self, request: Request) -> Response:
        jobs, now = self._store.all(), time.time()
        for job in jobs:
            self._see_to_clip(job)
        entries = await run_in_threadpool(lambda: [job.entry(now).payload() for job in jobs])
        return JSONResponse(entries)

    async def _list_faults(self, request: Request) -> Response:
        return JSONResponse(self._faults.listing())

    async def _add_faults(self, request: Request) -> Response:
        try:
            faults = parse_faults(await request.body())
        except ConfigurationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        self._faults.add(faults)
        return JSONResponse({"added": len(faults)})

    async def _openapi(self, request: Request) -> Response:
        return JSONResponse(describe())

    def _check_key(self, request: Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() != "bearer" or not key.strip():
            raise Refused(1004)
        wanted = self._settings.key_digest
        if wanted is not None and not hmac.compare_digest(digest_key(key.strip()), wanted):
            raise Refused(2049, "invalid api key")

    def _check_rate(self) -> None:
        if self._settings.rpm is None:
            return
        now = time.monotonic()
        while self._submits and self._submits[0] <= now - MINUTE:
            self._submits.popleft()
        if len(self._submits) >= self._settings.rpm:
            raise Refused(1002)
        self._submits.append(now)

    async def _read(self, request: Request, read: Callable[[bytes, Pictures], Order]) -> Order:
        large = int(request.headers.get("Content-Length") or 0) > LARGE_BODY
        async with self._large_bodies if large else contextlib.nullcontext():
            body = bytearray()
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _TooLarge
            return await run_in_threadpool(read, bytes(body), self._pictures)

    def _accept(self, order: Order) -> Job:
        variant = self._store.next_variant(order.fingerprint)
        fault = self._faults.strike(TaskFault, f"{order.fingerprint}-{variant}", order.prompt)
        task_id, file_id = self._store.new_ids(order.mode is Mode.TEMPLATE)
        width, height = clip_size(order.resolution, order.aspect)
        ticket = Ticket(
            task_id, file_id, order, variant, time.time(),
            latency=fault.latency if fault and fault.latency is not None else self._settings.latency,
            width=width,
            height=height,
            fail=fault.fail if fault else 0,
            stuck=fault.stuck if fault else None,
        )  # fmt: skip
        job = self._store.add(ticket)
        self._see_to_clip(job)
        if order.callback_url:
            self._callbacks.start(job)
        return job

    def _see_to_clip(self, job: Job) -> None:
        """Have the clip of a task drawn, unless it was or is being drawn: a restart may have lost it."""
        task_id = job.ticket.task_id
        if not job.ticket.gets_clip or job.drawn or job.broken or task_id in self._awaited:
            return
        self._awaited.add(task_id)
        loop = asyncio.get_running_loop()

        def told(clip: Future[Path]) -> None:
            # The loop is gone when the sandbox stops while a clip is in work.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._clip_settled, job, clip.exception() is not None)

        self._renders.clip(job.ticket).add_done_callback(told)

    def _clip_settled(self, job: Job, broken: bool) -> None:
        self._awaited.discard(job.ticket.task_id)
        if broken:
            job.broken = True
        else:
            self._store.drawn(job)

    def _draw(self, ticket: Ticket, path: Path) -> None:
        order = ticket.order
        first, last, subject = (
            self._pictures.open(reference) if reference else None
            for reference in (order.first, order.last, order.subject)
        )
        render_clip(
            path,
            prompt=order.prompt,
            resolution=order.resolution,
            seconds=order.seconds,
            fps=order.fps,
            first=first,
            last=last,
            subject=subject,
            variant=ticket.variant,
            scale=self._settings.scale,
        )

    def _asked_task(self, request: Request, *, template: bool) -> tuple[Job, Status]:
        self._check_key(request)
        task_id = request.query_params.get("task_id", "")
        if not task_id:
            raise Refused(2013, "invalid params, task_id cannot by empty")  # recorded, sic
        job = self._store.task(task_id)
        if job is None or (job.ticket.order.mode is Mode.TEMPLATE) is not template:
            raise Refused(2013, "invalid params, task_id does not exist")
        self._see_to_clip(job)
        return job, job.status(time.time())

    def _asked_file(self, file_id: str) -> Job:
        if not file_id:
            raise missing("file_id")
        if not file_id.isdecimal():
            raise mistyped("file_id")
        job = self._store.file(file_id)
        if job is None or job.status(time.time()) != "Success":
            raise Refused(2013, "invalid params, file_id does not exist")
        return job

    def _signed_url(self, request: Request, job: Job, lifetime: float) -> str:
        expires = int(time.time() + lifetime)
        signature = self._signature(job.ticket.file_id, expires, secrets.token_bytes(8))
        query = urlencode({"Expires": expires, "Signature": signature})
        host = request.headers.get("Host", "")
        return f"{request.url.scheme}://{host}/sandbox/files/{job.ticket.file_id}/{FILE_NAME}?{query}"

    def _signature(self, file_id: str, expires: int, salt: bytes) -> str:
        seal = hmac.digest(self._secret, f"{file_id}:{expires}:".encode() + salt, "sha256")
        return base64.urlsafe_b64encode(salt + seal[:22]).decode()

    def _signature_problem(self, request: Request, job: Job) -> Response | None:
        expires, given = (request.query_params.get(name, "") for name in ("Expires", "Signature"))
        try:
            salt = base64.urlsafe_b64decode(given.encode())[:8]
            good = self._signature(job.ticket.file_id, int(expires), salt)
        except ValueError:
            good = ""
        if not good or not hmac.compare_digest(good, given):
            return _storage_error(403, "SignatureDoesNotMatch", "The signature is not the one of this URL.")
        return _EXPIRED if time.time() > int(expires) else None


def digest_key(key: str) -> bytes:
    """How a key is held: a sandbox never keeps the key itself."""
    return hashlib.sha256(key.encode()).digest()


class _TooLarge(Exception):
    pass


class _TraceId:
    """Gives every answer of the API its `Trace-Id`, as official clients print it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Trace-Id"] = uuid.uuid4().hex
            await send(message)

        traced = scope["type"] == "http" and scope["path"].startswith("/v1/")
        await self._app(scope, receive, send_traced if traced else send)


async def _under(fault: SubmitFault | QueryFault | RetrieveFault | None, answer: WireAnswer) -> Response:
    if fault is None:
        return _wire(answer)
    await asyncio.sleep(fault.delay)
    if fault.http:
        response = _page(fault.http)
    elif fault.code:
        response = _wire(type(answer)(base_resp=BaseResp.of(fault.code, fault.message)))
    else:
        response = _wire(answer)
    if fault.lost or fault.cut is not None:
        return CutResponse(response, None if fault.lost else fault.cut)
    return response


def _wire(answer: WireAnswer) -> Response:
    return JSONResponse(answer.payload())


async def _not_found(request: Request, error: Exception) -> Response:
    return _page(404)


def _page(status: int) -> Response:
    reason = next((known.phrase for known in HTTPStatus if known == status), "Error")
    title = f"{status} {reason}"
    return HTMLResponse(
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n"
        "<hr><center>nginx</center>\n</body>\n</html>\n",
        status_code=status,
    )


def _storage_error(status: int, code: str, message: str) -> Response:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{error}', status_code=status, media_type="application/xml"
    )


_EXPIRED = _storage_error(403, "AccessDenied", "Request has expired.")
