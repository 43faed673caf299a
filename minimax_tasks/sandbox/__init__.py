"""The video API offline: an HTTP server that answers as the service was recorded to and draws real clips.

>>> with Sandbox(latency=0.5) as sandbox:
...     client = MiniMaxClient(api_key="anything", base_url=sandbox.url)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minimax_tasks.sandbox.server import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> Any:
    if name == "Sandbox":
        from minimax_tasks.sandbox.server import Sandbox

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
