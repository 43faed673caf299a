"""The HTTP client. It sends each request once: what may be repeated is decided by `minimax_tasks.clips`."""

import contextlib
import logging
import warnings
from collections.abc import AsyncIterator
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from minimax_tasks.api.answers import QueryAnswer, RetrieveAnswer, State, SubmitAnswer
from minimax_tasks.api.catalog.models import Mode, host_language
from minimax_tasks.api.errors import (
    AnswerLost,
    ApiError,
    ConfigurationError,
    MiniMaxCatalogWarning,
    NotConnected,
    error_from_code,
    error_from_http,
)
from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.api.turns import Turns

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Trouble before the first byte of a request: the service cannot have seen it."""

_Model = TypeVar("_Model", bound=BaseModel)


def is_loopback(url: str) -> bool:
    """Whether a base URL is on this machine, which the real service never is."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def check_access(api_key: str, base_url: str) -> None:
    """Raise `ConfigurationError` for a key or base URL that no request can be sent with."""
    if not api_key.strip():
        raise ConfigurationError("there is no API key: set MINIMAX_API_KEY, or api_key under [minimax]")
    if not api_key.isascii() or any(c.isspace() for c in api_key.strip()):
        raise ConfigurationError("the API key holds characters that no HTTP header can carry")
    url = urlsplit(base_url)
    if url.scheme not in ("http", "https") or not url.netloc:
        raise ConfigurationError(f"base_url = {base_url!r}: allowed: a URL such as https://api.minimaxi.com")


_fetching: ContextVar[bool] = ContextVar("_fetching", default=False)


def _without_signature(record: logging.LogRecord) -> bool:
    """httpx logs each URL; that of a download is a secret as a whole."""
    if _fetching.get() and isinstance(record.args, tuple):
        record.args = tuple(
            part.copy_with(query=None) if isinstance(part, httpx.URL) else part for part in record.args
        )
    return True


logging.getLogger("httpx").addFilter(_without_signature)


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
        base_url: str = "https://api.minimaxi.com",
        *,
        timeout: float = 60.0,
        max_connections: int = 24,
    ) -> None:
        check_access(api_key, base_url)
        self.base_url = base_url.rstrip("/")
        self.host = urlsplit(self.base_url).netloc
        self._headers = {"Authorization": f"Bearer {api_key.strip()}", "Content-Type": "application/json"}
        patience = httpx.Timeout(timeout, connect=20.0, pool=None)
        own_machine = is_loopback(self.base_url)
        self._reads = httpx.AsyncClient(
            timeout=patience,
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            trust_env=not own_machine,
        )
        # The pool walks all that wait for it whenever one is done, so they wait here instead.
        self._read_turns = Turns(max_connections)
        self._submit_turns = Turns(max_connections)
        # A kept connection that the server closes under a submit would leave its outcome unknown, so every
        # submit opens its own.
        self._submits = httpx.AsyncClient(
            timeout=patience,
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=0),
            trust_env=not own_machine,
        )

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

    async def submit(self, request: AnyRequest) -> str:
        """Send a request that creates a clip, once, and return its task id. This costs money."""
        response = await self._send("POST", request.path, json=self._for_region(request.body()))
        answer = self._parse(response, SubmitAnswer)
        self._raise_for(answer.base_resp.status_code, answer.base_resp.status_msg, response)
        if not answer.task_id:
            raise error_from_http(200, host=self.host, excerpt="no task_id", trace_id=_trace(response))
        return answer.task_id

    async def query(self, task_id: str, mode: Mode = Mode.TEXT) -> QueryAnswer:
        """The state of a task.

        `status` and `base_resp` are read together: a failed task carries its reason in `base_resp`, so an
        answer whose status is final is returned and not raised.
        """
        path = (
            "/v1/query/video_template_generation" if mode is Mode.TEMPLATE else "/v1/query/video_generation"
        )
        # Of many clips those that are ready are brought home before the others are asked for again.
        response = await self._send("GET", path, params={"task_id": task_id}, urgency=1)
        answer = self._parse(response, QueryAnswer)
        if answer.state is State.RUNNING:
            self._raise_for(answer.base_resp.status_code, answer.base_resp.status_msg, response)
        return answer

    async def retrieve(self, file_id: str) -> RetrieveAnswer:
        """The file of a finished task with a freshly signed download URL."""
        response = await self._send("GET", "/v1/files/retrieve", params={"file_id": file_id})
        answer = self._parse(response, RetrieveAnswer)
        self._raise_for(answer.base_resp.status_code, answer.base_resp.status_msg, response)
        return answer

    @contextlib.asynccontextmanager
    async def download(self, url: str, *, offset: int = 0) -> AsyncIterator[httpx.Response]:
        """Open a download, from a byte offset, without the bearer token: the URL itself is the secret.

        The response is open and has a good status (200, or 206 for an offset); read it with `aiter_bytes`.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        await self._read_turns.acquire()
        _fetching.set(True)
        try:
            async with self._reads.stream("GET", url, headers=headers, follow_redirects=True) as response:
                if response.status_code not in (200, 206):
                    raise ApiError(
                        f"the download host {response.url.host} answered HTTP {response.status_code}",
                        http_status=response.status_code,
                    )
                yield response
        except httpx.HTTPError as error:
            raise AnswerLost(f"the download broke: {type(error).__name__}") from None
        finally:
            _fetching.set(False)
            self._read_turns.release()

    def _for_region(self, body: dict[str, Any]) -> dict[str, Any]:
        if "aigc_watermark" not in body or host_language(self.host) != "en":
            return body
        # From this very line, so that Python's own filter shows it once in a process.
        warnings.warn(
            f"aigc_watermark is documented for the Chinese platform only: it is left out on {self.host}",
            MiniMaxCatalogWarning,
            stacklevel=1,
        )
        return {name: value for name, value in body.items() if name != "aigc_watermark"}

    async def _send(self, method: str, path: str, *, urgency: int = 0, **arguments: Any) -> httpx.Response:
        post = method == "POST"
        http, turns = (self._submits, self._submit_turns) if post else (self._reads, self._read_turns)
        await turns.acquire(urgency)
        try:
            return await http.request(method, self.base_url + path, headers=self._headers, **arguments)
        except _NOT_SENT as error:
            raise NotConnected(f"no connection to {self.host}: {error or type(error).__name__}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AnswerLost(f"the answer of {self.host} was lost: {type(error).__name__}") from None
        finally:
            turns.release()

    def _parse(self, response: httpx.Response, kind: type[_Model]) -> _Model:
        data = _object(response)
        base_resp = data.get("base_resp")
        if kind is SubmitAnswer and base_resp is None and response.is_success and data.get("task_id"):
            with contextlib.suppress(ValidationError):
                return kind.model_validate(data)  # accepted: a paid task is known by its id
        if isinstance(base_resp, dict) and response.status_code < 500:
            if response.status_code == 200:
                with contextlib.suppress(ValidationError):
                    return kind.model_validate(data)
            else:
                code = base_resp.get("status_code")
                if isinstance(code, int):
                    self._raise_for(code, str(base_resp.get("status_msg", "")), response)
        raise error_from_http(
            response.status_code, host=self.host, excerpt=_excerpt(response), trace_id=_trace(response)
        )

    def _raise_for(self, code: int, message: str, response: httpx.Response) -> None:
        if code != 0:
            raise error_from_code(code, message, host=self.host, trace_id=_trace(response))


def _object(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; an empty one when it is something else."""
    try:
        data = response.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _trace(response: httpx.Response) -> str:
    return str(response.headers.get("Trace-Id", ""))


def _excerpt(response: httpx.Response) -> str:
    if response.has_redirect_location:
        return "to " + response.headers["Location"].partition("?")[0]
    text = " ".join(response.text.split())
    return text[:120] + ("…" if len(text) > 120 else "")
