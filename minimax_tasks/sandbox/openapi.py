"""The sandbox's description of itself."""

from typing import Any


def describe() -> dict[str, Any]:
    """The OpenAPI document."""
    return {}
