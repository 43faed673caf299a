"""What the environment says about the way to the service: proxies, exceptions from them, certificates.

Judged once, before anything is sent. httpx reads the same variables, but fails in the middle of a run with
errors that name none of them, and knows no networks (`10.0.0.0/8`, `fd00::/8`) in NO_PROXY.
"""

import contextlib
import functools
import ipaddress
import os
import ssl
from collections.abc import Iterable
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies

import certifi
import httpx

from minimax_tasks.api.carrier import AiohttpTransport
from minimax_tasks.errors import ConfigurationError
from minimax_tasks.redaction import clean, shown

_ALLOWED = "allowed: http://, https:// or socks5:// with a host and a port"


def tls() -> ssl.SSLContext:
    """The certificates that are trusted: SSL_CERT_FILE, else SSL_CERT_DIR, else those of certifi.

    Raises `ConfigurationError` naming the variable whose value cannot be used.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    name, value = ("SSL_CERT_FILE", file) if file else ("SSL_CERT_DIR", folder or "")
    if not file and folder and not any(map(os.path.isdir, folder.split(os.pathsep))):
        raise ConfigurationError(f"SSL_CERT_DIR = {folder!r}: there is no such folder")
    try:
        if file:
            return ssl.create_default_context(cafile=file)
        if folder:
            return ssl.create_default_context(capath=folder)
        name, value = "SSLKEYLOGFILE", os.environ.get("SSLKEYLOGFILE", "")
        return ssl.create_default_context(cafile=certifi.where())
    except OSError as error:
        why = clean(error.strerror or type(error).__name__)
    raise ConfigurationError(
        f"{name} = {value!r} cannot be used: {why}; allowed: a PEM file of certificates"
        if name == "SSL_CERT_FILE"
        else f"{name} = {value!r} cannot be used: {why}"
    )


@functools.cache
def tls_of_this_machine() -> ssl.SSLContext:
    """The certificates that the system trusts, for a server on this machine and what it links to.

    Loading them takes longer than a request there, so it is done once.
    """
    return ssl.create_default_context()


def transport(context: ssl.SSLContext, limits: httpx.Limits, *, direct: bool) -> httpx.AsyncBaseTransport:
    """Connections as the environment wants them; `direct` ones never go through a proxy.

    Those through a proxy are httpx's own, which tell a refused tunnel from a failed request, and speak SOCKS.
    Raises `ConfigurationError` naming the variable of a proxy that cannot be used.
    """
    straight = AiohttpTransport(context, limits)
    found = {} if direct else getproxies()
    proxies = {
        scheme: _Proxy.of(scheme, found[scheme], context, limits)
        for scheme in ("http", "https", "all")
        if found.get(scheme)
    }
    exceptions = [entry for part in found.get("no", "").split(",") if (entry := part.strip())]
    return _Routes(straight, proxies, exceptions) if proxies and "*" not in exceptions else straight


class _Proxy(httpx.AsyncBaseTransport):
    """Connections through a proxy. What keeps it from making one names the variable that it comes from."""

    def __init__(self, name: str, connections: httpx.AsyncHTTPTransport) -> None:
        self._name = name
        self._connections = connections

    @classmethod
    def of(cls, scheme: str, url: str, context: ssl.SSLContext, limits: httpx.Limits) -> Self:
        """The proxy of a variable. Raises `ConfigurationError` naming it."""
        address = url.strip() if "://" in url else f"http://{url.strip()}"
        name = f"{_variable(scheme)} = {shown(address)!r}"
        try:
            proxy, parts = httpx.Proxy(address), urlsplit(address)
            if parts.hostname and proxy.url.host and parts.port != 0 and parts.path in ("", "/"):
                return cls(
                    name,
                    httpx.AsyncHTTPTransport(verify=context, limits=limits, trust_env=False, proxy=proxy),
                )
            why = _ALLOWED
        except ImportError:
            why = "a SOCKS proxy needs a package more: pip install 'httpx[socks]'"
        except (httpx.InvalidURL, ValueError):
            why = _ALLOWED
        raise ConfigurationError(f"{name}: {why}")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._connections.handle_async_request(request)
        except httpx.TransportError as error:
            raise type(error)(
                f"{str(error) or type(error).__name__}, through the proxy of {self._name}"
            ) from error

    async def aclose(self) -> None:
        await self._connections.aclose()


def _variable(scheme: str) -> str:
    """The variable as it is spelled in the environment."""
    wanted = f"{scheme}_proxy"
    return next((name for name in os.environ if name.lower() == wanted), wanted.upper())


class _Routes(httpx.AsyncBaseTransport):
    """A connection of its own kind for each address."""

    def __init__(
        self,
        straight: httpx.AsyncBaseTransport,
        proxies: dict[str, _Proxy],
        exceptions: Iterable[str],
    ) -> None:
        self._straight = straight
        self._proxies = proxies
        self._exceptions = tuple(exceptions)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = self._proxies.get(request.url.scheme) or self._proxies.get("all")
        if proxy is None or is_excepted(request.url.host, request.url.port, self._exceptions):
            return await self._straight.handle_async_request(request)
        return await proxy.handle_async_request(request)

    async def aclose(self) -> None:
        for connections in (self._straight, *self._proxies.values()):
            await connections.aclose()


def is_excepted(host: str, port: int | None, entries: Iterable[str]) -> bool:
    """Whether an entry of NO_PROXY names this host: a name (and all below it), an address, a network.

    An entry may have a scheme, brackets and a port; an invalid one is ignored.
    """
    name = host.strip("[]").rstrip(".").lower()
    address = _address(name)
    for entry in entries:
        wanted, wanted_port = _split(entry.lower().rpartition("://")[2])
        if wanted_port and wanted_port != str(port or ""):
            continue
        if address is not None:
            with contextlib.suppress(ValueError):
                if address in ipaddress.ip_network(wanted, strict=False):
                    return True
        elif (bare := wanted.removeprefix("*").strip(".")) and (name == bare or name.endswith(f".{bare}")):
            return True
    return False


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name)
    return None


def _split(entry: str) -> tuple[str, str]:
    """Host and port of an entry; a bare IPv6 address has colons too."""
    if entry.startswith("["):
        inside, _, after = entry[1:].partition("]")
        return inside + (after if after.startswith("/") else ""), after.removeprefix(
            ":"
        ) if ":" in after else ""
    host, colon, port = entry.rpartition(":")
    return (host, port) if colon and ":" not in host and port.isdigit() else (entry, "")
