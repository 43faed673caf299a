"""Who may use the sandbox's own pages: programs, and pages that it served itself.

A web page that is open in a browser of this machine can send requests to every port of it. It cannot read
the answers, unless its own name was made to lead here (DNS rebinding).
"""

import ipaddress
import socket

from starlette.requests import Request

_OWN_NAMES = (".localhost", ".local", ".internal", ".test")
"""Names in the public DNS never end like this (source: RFC 6761 and 6762, ICANN's reserved `internal`)."""


def refusal(request: Request, served: str) -> str:
    """Why a request is not answered by the sandbox's own pages, "" for one that is.

    `served` is the host that the sandbox listens on.
    """
    host = request.headers.get("Host", "")
    if not _is_ours(_name(host), served):
        return f"the sandbox is not called {host[:100]!r}; use its address"
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.url.scheme}://{host}":
        return "pages of another origin are not answered here"
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return "pages of another site are not answered here"
    return ""


def _name(host: str) -> str:
    """The host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


def _is_ours(name: str, served: str) -> bool:
    if name in ("localhost", served.lower()) or name.endswith(".localhost"):
        return True
    address = _address(name)
    if address is not None and address.is_loopback:
        return True
    if _is_loopback(served):
        return False
    # On a network it is known by whatever address or local name leads to it.
    local = bool(name) and (
        "." not in name or name.endswith(_OWN_NAMES) or name == socket.gethostname().lower()
    )
    return address is not None or local


def _is_loopback(served: str) -> bool:
    address = _address(served)
    return served == "localhost" or (address is not None and address.is_loopback)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
