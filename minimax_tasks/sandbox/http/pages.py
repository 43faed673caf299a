"""What answers that are not the API's JSON look like, and the header that all of the API's answers carry."""

import logging
import uuid
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)


def gateway_page(status: int) -> Response:
    """The plain HTML of a gateway before the service."""
    phrase = next((known.phrase for known in HTTPStatus if known == status), "Error")
    title = f"{status} {phrase}"
    return HTMLResponse(
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n"
        "<hr><center>nginx</center>\n</body>\n</html>\n",
        status_code=status,
    )


async def not_found(request: Request, error: Exception) -> Response:
    """The answer to a path, or a method, that the service does not have."""
    return gateway_page(404)


async def broken(request: Request, error: Exception) -> Response:
    """The answer when the sandbox itself has a mistake, which its server does not log."""
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    return gateway_page(500)


def storage_error(status: int, code: str, message: str) -> Response:
    """An error of the download host, in the XML of the object storage that the service uses."""
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{error}', status_code=status, media_type="application/xml"
    )


class TraceIds:
    """Gives every answer under /v1 a `Trace-Id`, the header that official clients print with an error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app within."""

        async def send_traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Trace-Id"] = uuid.uuid4().hex
            await send(message)

        traced = scope["type"] == "http" and scope["path"].startswith("/v1/")
        await self._app(scope, receive, send_traced if traced else send)
