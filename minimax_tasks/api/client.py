"""The HTTP client. It sends each request once: what may be repeated is decided by `minimax_tasks.clips`.

What comes back is judged, cleaned and bounded here, where it enters; nobody below has to do it again.
"""

import asyncio
import contextlib
import json
import logging
import re
import shutil
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import httpx
from multidict import CIMultiDict

from minimax_tasks.api import network
from minimax_tasks.api.answers import QueryAnswer, RetrieveAnswer, State, as_id
from minimax_tasks.api.bodies import TooLong, Unreadable, body
from minimax_tasks.api.carrier import AiohttpTransport, Answered
from minimax_tasks.api.catalog.hosts import DEFAULT_BASE_URL, host_language
from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.certainty import Sending
from minimax_tasks.api.endpoint import Endpoint, Said
from minimax_tasks.api.endpoints import mode_endpoint
from minimax_tasks.api.errors import error_from_code, error_from_http, error_from_page
from minimax_tasks.api.limits import Limits
from minimax_tasks.api.priority_semaphore import PrioritySemaphore
from minimax_tasks.api.requests import UPLOADED, AnyRequest
from minimax_tasks.api.task_ids import mentioned_task_ids, task_ids
from minimax_tasks.api.v1.endpoints import GENERATION
from minimax_tasks.api.v2.answers import Cancelled, TaskPage, page_of
from minimax_tasks.errors import (
    AnswerLost,
    ApiError,
    ConfigurationError,
    ControlFlow,
    MiniMaxCatalogWarning,
    MiniMaxError,
    MiniMaxInsecureWarning,
    NotConnected,
)
from minimax_tasks.redaction import clean, clean_tree, keep_secret, private_logs, shown

log = logging.getLogger(__name__)

UPLOAD_PATH = "/v1/files/upload"
"""Takes files as inputs of requests."""

CONNECT_TIME = 20.0
"""Seconds for a connection."""

_SIGNED = frozenset({"download_url", "backup_download_url", "video_url", "url"})
"""Fields of answers that are secrets as a whole, used for the download only."""

_ENCODED = re.compile(r"[A-Za-z0-9/_.~%?=&+-]*")
"""A path and a query that go over the wire as they are."""

_PLAIN = frozenset({"params", "json"})
"""What most requests have beside their path."""

_ENCODED_ADDRESS = re.compile(rf"https?://[A-Za-z0-9.-]+(?::[0-9]+)?/{_ENCODED.pattern}")
"""An address that is asked as it is."""

_REDIRECTS = 20
"""A download is followed to so many addresses."""

_TO_ANOTHER = frozenset({301, 302, 303, 307, 308})
"""Statuses of an answer that points at another address."""

_CHINESE_ONLY = ("aigc_watermark", "extra")
"""Fields of a request that only the pages of the Chinese platform have."""


_Ask = Callable[[str, dict[str, str]], Awaitable[httpx.Response | Answered]]
"""Sends a GET with headers to an address."""


def is_loopback(url: str) -> bool:
    """Whether a base URL is on this machine, which the real service never is."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return False
    return host == "localhost" or host == "::1" or host.startswith("127.")


def check_access(api_key: str, base_url: str) -> None:
    """Raise `ConfigurationError` for a key, a base URL or an environment that no request can be sent with."""
    key = api_key.strip()
    if not key:
        raise ConfigurationError(
            "there is no API key", advice="set MINIMAX_API_KEY, or the setting api_key", setting="api_key"
        )
    if not all("!" <= character <= "~" for character in key):
        raise ConfigurationError("the API key holds characters that no HTTP header can carry")
    why = wrong_with_address(base_url.strip())
    if not why and "@" in urlsplit(base_url).netloc:
        why = "it holds a user or password, which would go in place of the key; "
    if why:
        raise ConfigurationError(
            f"base_url = {shown(base_url)!r}: {why}allowed: a URL such as {DEFAULT_BASE_URL}"
        )
    if not is_loopback(base_url):
        network.transport(network.tls(), httpx.Limits(), direct=False)


def readable_key(base_url: str) -> str:
    """A warning when the key is sent over a network unencrypted; "" otherwise."""
    if base_url[:5].lower() != "http:" or is_loopback(base_url):
        return ""
    return f"the API key goes to {shown(base_url)} over plain http, where others on the way can read it"


def wrong_with_address(address: str) -> str:
    """Why nothing can be asked below an address, with a semicolon behind it; "" where it can."""
    try:
        url, parts = httpx.URL(address), urlsplit(address)
        _ = parts.port
    except (httpx.InvalidURL, ValueError):
        return "it is no URL; "
    if any(character.isspace() or not character.isprintable() for character in address):
        return "it holds blanks or control characters; "
    if url.scheme not in ("http", "https") or not url.host:
        return "it has no host; " if url.scheme in ("http", "https") else "it does not start with https://; "
    return "it has something after its path; " if "?" in address or "#" in address else ""


class _Reply:
    """One answer, read to its end and cleaned."""

    def __init__(self, status: int, headers: Mapping[str, str], raw: bytes) -> None:
        self.status = status
        self.trace_id = clean(headers.get("Trace-Id", ""), 100)
        self.date = headers.get("Date", "")
        self._whole = _document(raw)
        self.document: dict[str, Any] = self._whole if isinstance(self._whole, dict) else {}
        self._media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self._location = headers.get("Location", "")
        self._text = raw[:20_000].decode("utf-8", "replace")

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def said(self, endpoint: Endpoint) -> Said:
        """What it says of the request, by the endpoint's generation of the API."""
        return endpoint.wire.said(self.status, self.document)

    @cached_property
    def task_ids(self) -> tuple[str, ...]:
        """The tasks that it names as such, wherever."""
        return task_ids(self._whole)

    @property
    def mentioned(self) -> tuple[str, ...]:
        """The tasks that its text speaks of, also where it is no JSON, or that it refers to."""
        if self._is_plain and self._text.casefold().count("task") <= len(self.task_ids):
            return self.task_ids  # it speaks of those that it names
        return mentioned_task_ids(f"{clean(self._text, 20_000)}\n{self._location[:2000]}")

    @property
    def _is_plain(self) -> bool:
        """Whether nothing in its text is hidden or cut by what is not printed."""
        return not self._location and self._text.isascii() and self._text.isprintable()

    @property
    def is_page(self) -> bool:
        """Whether it is text for people: by its media type, or because it starts with a tag."""
        text = self._text.lstrip("\ufeff \t\r\n")
        says_text = self._media.startswith("text/") and not text.startswith(("{", "["))
        return not self.document and bool(text) and (says_text or text.startswith("<"))

    @property
    def excerpt(self) -> str:
        if 300 <= self.status < 400 and self._location:
            return "to " + clean(self._location.partition("?")[0].partition("#")[0], 200)
        return clean(self._text, 120)


def _as_json(body: dict[str, Any]) -> bytes:
    """The same bytes as httpx's."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _document(raw: bytes) -> Any:
    """The JSON object or list of an answer, cleaned; an empty one when it is something else, or nested without end."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return clean_tree(data, keep=_SIGNED) if isinstance(data, dict | list) else {}


class MiniMaxClient:
    """An async client of the video API over one connection pool.

    >>> async with MiniMaxClient(api_key="…") as client:
    ...     task_id = await client.submit(TextToVideoRequest(prompt="A lighthouse at dusk"))
    ...     answer = await client.query(task_id)

    Raises `ApiError` for what the service answers, `NotConnected` when nothing was sent, and `AnswerLost`
    when the outcome of a request is not known.

    `max_connections` is small on purpose: answers are short, and the pool looks at each of its connections
    for every request, so that many of them cost more than they give. They are kept HTTP/1.1 connections: over
    HTTP/2 a poll takes about the same CPU and more time (`python -m tests.benchmarks connections`), and when that one
    connection ends, so does every poll under way.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = DEFAULT_BASE_URL,
        *,
        timeout: float = 60.0,
        max_connections: int = 24,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        keep_secret(api_key)
        check_access(api_key, base_url)
        self.base_url = base_url.strip().rstrip("/")
        self.host = urlsplit(self.base_url).netloc
        self.limits = limits
        self._open_headers = {"Accept": "*/*", "User-Agent": f"python-httpx/{httpx.__version__}"}
        """Those that everybody may read; the key is in none of them."""
        self._headers = {
            **self._open_headers,
            "Authorization": f"Bearer {api_key.strip()}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        # httpx writes the type of a form itself, with what parts it.
        self._plain_headers = {k: v for k, v in self._headers.items() if k != "Content-Type"}
        self._origin = str(httpx.URL(self.base_url)).rstrip("/")  # a name of a host as DNS has it
        self._asking = CIMultiDict(self._headers)
        self._timeout = timeout
        own_machine = is_loopback(self.base_url)
        if readable := readable_key(self.base_url):
            # From this very line, so that Python's own filter shows it once in a process.
            warnings.warn(readable, MiniMaxInsecureWarning, stacklevel=1)
        certificates = network.tls_of_this_machine() if own_machine else network.tls()

        def connections(kept: int) -> httpx.AsyncBaseTransport:
            bounds = httpx.Limits(max_connections=max_connections, max_keepalive_connections=kept)
            return network.transport(certificates, bounds, direct=own_machine)

        self._timeouts = httpx.Timeout(timeout, connect=CONNECT_TIME, pool=None).as_dict()
        self._reads = connections(max_connections)
        # A kept connection that the server closes under a submit would leave its outcome unknown, so every
        # submit opens its own.
        self._submits = connections(0)
        # Downloads take long, and must not occupy the connections that polls use.
        self._downloads = connections(max_connections)
        # Requests wait here and not in the pool: those that finish something go first.
        self._read_turns = PrioritySemaphore(max_connections)
        self._submit_turns = PrioritySemaphore(max_connections)
        self._download_turns = PrioritySemaphore(max(1, max_connections // 2))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._reads.aclose()
        await self._submits.aclose()
        await self._downloads.aclose()

    async def submit(self, request: AnyRequest) -> str:
        """Send a request that creates a clip, once, and return its task id. This costs money.

        Whatever else an answer says, a task that it names was created: it is never submitted again. A web page
        in place of an answer says that nothing was created only where the video API is not found either when
        it is asked something that costs nothing: otherwise a gateway may have put the page in place of its answer.
        """
        endpoint = request.endpoint
        reply = await self._send("POST", endpoint.submit_path, json=self._for_region(request.body()))
        said, task_id, named = reply.said(endpoint), endpoint.wire.task_id(reply.document), reply.task_ids
        usual = bool(task_id)
        if not task_id and len(named) == 1:
            task_id = named[0]
        if task_id:
            others = [other for other in (*named, *reply.mentioned) if other != task_id]
            if not usual or others or not reply.ok or said.code:
                log.warning(
                    "%s answered HTTP %d, code %s, and task %s: it is taken as accepted%s",
                    self.host, reply.status, said.code, task_id,
                    f"; it also names task {', '.join(dict.fromkeys(others))}" if others else "",
                )  # fmt: skip
            return task_id
        if unclear := named or reply.mentioned:
            raise error_from_http(
                200,
                host=self.host,
                excerpt=f"no task_id of its own, but it names task {', '.join(unclear)[:200]}: {reply.excerpt}",
                trace_id=reply.trace_id,
            )
        if reply.ok and reply.is_page and await self._may_be_the_api(endpoint):
            raise error_from_http(200, host=self._address, excerpt=reply.excerpt, trace_id=reply.trace_id)
        self._raise_unless_good(reply, said)
        raise error_from_http(
            200, host=self.host, excerpt=f"no task_id: {reply.excerpt}", trace_id=reply.trace_id
        )

    async def _may_be_the_api(self, endpoint: Endpoint) -> bool:
        """Whether the video API answers here. True also when that cannot be known."""
        path, params = endpoint.wire.free_question(endpoint.query_path)
        try:
            reply = await self._send("GET", path, params=params)
        except MiniMaxError:
            return True
        return reply.said(endpoint).code is not None or reply.status >= 500

    async def query(self, task_id: str, mode: Mode | Endpoint = Mode.TEXT) -> QueryAnswer:
        """The state of a task. `mode` is how its clip was asked for, or the endpoint of its request.

        The status and the reason are read together: an answer whose status is final is returned and not raised.
        An answer about another task is `AnswerLost`.
        """
        endpoint = mode if isinstance(mode, Endpoint) else mode_endpoint(mode)
        path, params = endpoint.wire.query(endpoint.query_path, task_id)
        # Clips that are ready are fetched before the others are polled again.
        reply = await self._send("GET", path, params=params, urgency=1)
        answer = endpoint.wire.answer(reply.document)
        self._check_subject("task", task_id, answer.task_id, *(() if answer.task_id else reply.task_ids))
        if reply.ok and answer.state is not State.RUNNING:
            return answer
        said = reply.said(endpoint)
        if not (reply.ok and said.code is None and answer.status):
            self._raise_unless_good(reply, said)
        return answer

    async def tasks(
        self, endpoint: Endpoint, *, page: int = 1, size: int = 100, **filters: str | list[str]
    ) -> tuple[TaskPage, float | None]:
        """A page of the account's tasks, and the time of the service's clock in Unix seconds, where it says it.

        `filters` are those of the API: `status`, `task_ids`, `model`, `task_type`.
        """
        params: list[tuple[str, str]] = [("page_num", str(page)), ("page_size", str(size))]
        for name, wanted in filters.items():
            params += [(f"filter.{name}", one) for one in ([wanted] if isinstance(wanted, str) else wanted)]
        reply = await self._send("GET", endpoint.list_path, params=params)
        said = reply.said(endpoint)
        self._raise_unless_good(reply, said)
        if "items" not in reply.document:
            raise error_from_http(
                200, host=self._address, excerpt="no list of tasks", trace_id=reply.trace_id
            )
        return page_of(reply.document), _moment(reply.date)

    async def cancel(self, task_id: str, endpoint: Endpoint) -> Cancelled:
        """Take back a task, which is free while it is queued. A task that is over loses its record instead.

        An answer about another task is `AnswerLost`.
        """
        path, params = endpoint.wire.query(endpoint.cancel_path, task_id)
        reply = await self._send("DELETE", path, params=params)
        answer = Cancelled.model_validate(reply.document)
        self._check_subject("task", task_id, answer.task_id, *(() if answer.task_id else reply.task_ids))
        self._raise_unless_good(reply, reply.said(endpoint))
        return answer

    async def upload(self, data: bytes, filename: str, mime: str) -> str:
        """Keep a file with the service, for a week, as an input of requests; returns its address. This is free."""
        files = {"file": (filename, data, mime)}
        form = {"purpose": "video_generation_input"}
        reply = await self._send("POST", UPLOAD_PATH, files=files, data=form, headers=self._plain_headers)
        file_id = RetrieveAnswer.model_validate(reply.document).file.file_id
        if not file_id or not reply.ok:
            self._raise_unless_good(reply, reply.said(GENERATION))
            raise error_from_http(200, host=self.host, excerpt="no file_id", trace_id=reply.trace_id)
        return f"{UPLOADED}{file_id}"

    async def retrieve(self, file_id: str, *, endpoint: Endpoint = GENERATION) -> RetrieveAnswer:
        """The file of a finished task with a freshly signed download URL.

        An answer about another file is `AnswerLost`.
        """
        reply = await self._send("GET", endpoint.retrieve_path, params={"file_id": file_id})
        answer = RetrieveAnswer.model_validate(reply.document)
        self._check_subject("file", file_id, answer.file.file_id, as_id(reply.document.get("file_id")))
        said = reply.said(endpoint)
        if not (reply.ok and said.code is None and answer.file.download_url):
            self._raise_unless_good(reply, said)
        return answer

    @contextlib.asynccontextmanager
    async def download(self, url: str, *, offset: int = 0) -> AsyncIterator[httpx.Response]:
        """Open a download, from a byte offset, without the bearer token: the URL itself is the secret.

        The response is open and has a good status (200, or 206 for an offset). Nothing bounds what is read
        from it; `fetch` does.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        async with self._downloading(url, self._asked_by_httpx, headers) as response:
            assert isinstance(response, httpx.Response)
            yield response

    @contextlib.asynccontextmanager
    async def _downloading(
        self, url: str, ask: _Ask, headers: dict[str, str]
    ) -> AsyncIterator[httpx.Response | Answered]:
        await self._download_turns.acquire()
        try:
            with self._logging_of(self._downloads):
                response = await self._open(url, ask, headers)
                try:
                    yield response
                finally:
                    await response.aclose()
        finally:
            self._download_turns.release()

    async def fetch(self, url: str, file: Path) -> int:
        """Download to a local file; returns how many bytes came.

        Raises `AnswerLost` for a download that breaks, is cut short, is longer or slower than `limits` allow,
        or has no room on the disk.
        """
        trouble: str
        try:
            async with self._downloading(url, self._asked_plainly, {}) as response:
                trouble = self._no_room(response, file)
                if not trouble:
                    async with asyncio.timeout(self.limits.download_time):
                        written = await self._write(response, file)
                    expected = response.headers.get("Content-Length", "")
                    if "Content-Encoding" not in response.headers and expected.isdigit():
                        trouble = f"{written} of {expected} bytes came" if written != int(expected) else ""
                    if not trouble:
                        return written
        except TooLong:
            trouble = f"it has more than {self.limits.download:,} bytes"
        except Unreadable:
            trouble = "it is packed in a way that cannot be read"
        except _TooSlow:
            trouble = f"less than {self.limits.slowest:,.0f} bytes a second came"
        except TimeoutError:
            trouble = f"it was not done after {self.limits.download_time:.0f} s"
        except httpx.HTTPError as error:
            trouble = type(error).__name__
        raise AnswerLost(f"the download broke: {trouble}")

    async def _open(self, url: str, ask: _Ask, headers: dict[str, str]) -> httpx.Response | Answered:
        failure: MiniMaxError
        try:
            async with asyncio.timeout(self._timeout + CONNECT_TIME):
                host, response = await self._followed(
                    url.strip(), ask, {**self._open_headers, "Accept-Encoding": "identity", **headers}
                )
            if response.status_code in (200, 206):
                return response
            await response.aclose()
            failure = ApiError(
                f"the download host {clean(host, 200)} answered HTTP {response.status_code}",
                http_status=response.status_code,
            )
        except (httpx.InvalidURL, UnicodeError, ValueError):
            failure = AnswerLost("the download broke: what the service gave is not a URL")
        except Exception as error:
            failure = AnswerLost(f"the download broke: {type(error).__name__}")
        raise failure

    async def _followed(
        self, url: str, ask: _Ask, headers: dict[str, str]
    ) -> tuple[str, httpx.Response | Answered]:
        """The host and the answer of the last address that others point at."""
        for _ in range(_REDIRECTS):
            response = await ask(url, headers)
            parts = urlsplit(url)
            log.debug("GET %s: HTTP %d", parts.path, response.status_code)
            if response.status_code not in _TO_ANOTHER or "Location" not in response.headers:
                return parts.hostname or "", response
            await response.aclose()
            url = str(httpx.URL(url).join(response.headers["Location"]))
        raise httpx.TooManyRedirects("")

    async def _asked_by_httpx(self, url: str, headers: dict[str, str]) -> httpx.Response:
        request = httpx.Request("GET", url, headers=headers, extensions={"timeout": self._timeouts})
        response = await self._downloads.handle_async_request(request)
        response.request = request
        return response

    async def _asked_plainly(self, url: str, headers: dict[str, str]) -> httpx.Response | Answered:
        if isinstance(self._downloads, AiohttpTransport) and _ENCODED_ADDRESS.fullmatch(url):
            return await self._downloads.ask("GET", url, headers, self._timeouts)
        return await self._asked_by_httpx(url, headers)

    def _no_room(self, response: httpx.Response | Answered, file: Path) -> str:
        stated = response.headers.get("Content-Length", "")
        size = int(stated) if stated.isdigit() and len(stated) < 19 else 0
        if size > self.limits.download:
            return f"it has {size:,} bytes, more than {self.limits.download:,}"
        free = shutil.disk_usage(file.parent).free
        return f"it has {size:,} bytes, and {free:,} are free in {file.parent}" if size > free else ""

    async def _write(self, response: httpx.Response | Answered, file: Path) -> int:
        written = in_window = 0
        began = time.monotonic()
        with file.open("wb") as out:
            async for piece in body(response, self.limits.download):
                out.write(piece)
                written += len(piece)
                in_window += len(piece)
                passed = time.monotonic() - began
                if passed >= self.limits.window:
                    if in_window < self.limits.slowest * passed:
                        raise _TooSlow
                    began, in_window = time.monotonic(), 0
        return written

    def _for_region(self, body: dict[str, Any]) -> dict[str, Any]:
        foreign = [name for name in _CHINESE_ONLY if name in body]
        if not foreign or host_language(self.host) != "en":
            return body
        # From this very line, so that Python's own filter shows it once in a process.
        warnings.warn(
            f"{' and '.join(foreign)} is documented for the Chinese platform only: it is left out on {self.host}",
            MiniMaxCatalogWarning,
            stacklevel=1,
        )
        return {name: value for name, value in body.items() if name not in foreign}

    async def _send(self, method: str, path: str, *, urgency: int = 0, **content: Any) -> _Reply:
        # All but reads change something: they are written once, on a connection of their own.
        read = method == "GET"
        carrier, turns = (self._reads, self._read_turns) if read else (self._submits, self._submit_turns)
        # Writing a request and reading its answer have a deadline each, which data that trickles in does not extend.
        patience = CONNECT_TIME + self._timeout * (1 if read else 2)
        sending = Sending()
        failure: MiniMaxError
        await turns.acquire(urgency)
        try:
            with self._logging_of(carrier):
                async with asyncio.timeout(patience):
                    return await self._exchange(carrier, method, path, sending, content)
        except Exception as error:
            failure = self._failure(error, sending)
        finally:
            turns.release()
        # Outside of the handler: what httpx raised holds the request, and so the key.
        raise failure

    @staticmethod
    def _logging_of(carrier: httpx.AsyncBaseTransport) -> contextlib.AbstractContextManager[None]:
        # What aiohttp logs is no secret.
        return contextlib.nullcontext() if isinstance(carrier, AiohttpTransport) else private_logs()

    async def _exchange(
        self,
        carrier: httpx.AsyncBaseTransport,
        method: str,
        path: str,
        sending: Sending,
        content: dict[str, Any],
    ) -> _Reply:
        response = await self._open_exchange(carrier, method, path, sending, content)
        try:
            log.debug("%s %s: HTTP %d", method, path, response.status_code)
            raw = bytearray()
            try:
                async for piece in body(response, self.limits.answer):
                    raw += piece
            except TooLong:
                if 200 <= response.status_code < 300:
                    raise
            return _Reply(response.status_code, response.headers, bytes(raw))
        finally:
            await response.aclose()

    async def _open_exchange(
        self,
        carrier: httpx.AsyncBaseTransport,
        method: str,
        path: str,
        sending: Sending,
        content: dict[str, Any],
    ) -> httpx.Response | Answered:
        if isinstance(carrier, AiohttpTransport) and _PLAIN.issuperset(content):
            target = f"{path}?{query}" if (query := urlencode(content.get("params") or {})) else path
            if _ENCODED.fullmatch(target):
                words = _as_json(content["json"]) if "json" in content else b""
                return await carrier.ask(
                    method, self._origin + target, self._asking, self._timeouts, sending.trace, words
                )
        request = httpx.Request(
            method,
            self.base_url + path,
            headers=content.pop("headers", self._headers),
            extensions={"timeout": self._timeouts, "trace": sending.trace},
            **content,
        )
        return await carrier.handle_async_request(request)

    def _failure(self, error: Exception, sending: Sending) -> MiniMaxError:
        if sending.is_certainly_unsent(error):
            what = "the proxy answered " if isinstance(error, httpx.ProxyError) else ""
            return NotConnected(
                f"no connection to {self.host}: {what}{clean(error, 300) or type(error).__name__}"
            )
        why = {
            TooLong: f"it has more than {self.limits.answer:,} bytes",
            Unreadable: "it is packed in a way that cannot be read",
            TimeoutError: "it took too long",
        }.get(type(error), type(error).__name__)
        return AnswerLost(f"the answer of {self.host} was lost: {why}")

    def _check_subject(self, what: str, asked: str, *named: str) -> None:
        for answered in named:
            if answered in ("", asked):
                continue
            text = (
                f"{self.host} was asked about {what} {asked} and answered about {what} {clean(answered, 100)}; "
                "that is not believed"
            )
            log.warning(text)
            raise AnswerLost(text)

    def _raise_unless_good(self, reply: _Reply, said: Said) -> None:
        """Raise `ApiError` for a refusal by the API, and for what is no answer of it."""
        trace_id = clean(said.trace_id, 100) or reply.trace_id
        if said.code:
            raise error_from_code(said.code, clean(said.message, 500), host=self.host, trace_id=trace_id)
        if said.code is None or not reply.ok:
            make = error_from_page if reply.ok and reply.is_page else error_from_http
            status = said.status if reply.ok else reply.status
            raise make(status, host=self._address, excerpt=reply.excerpt, trace_id=trace_id)

    @property
    def _address(self) -> str:
        """Host and path, since a path of the base URL (`/v1`) is what is wrong most often."""
        return self.host + urlsplit(self.base_url).path


def _moment(date: str) -> float | None:
    """The Unix time of an HTTP date; None for none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError):
        return None


class _TooSlow(ControlFlow):
    """A download that trickles in."""
