"""All kinds of task, and which one a task that was submitted earlier is of."""

from collections.abc import Mapping
from typing import Any

from minimax_tasks.api.catalog.models import Mode
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.v1.endpoints import GENERATION, TEMPLATE_GENERATION
from minimax_tasks.api.v2 import endpoints as v2

ENDPOINTS = {endpoint.name: endpoint for endpoint in (GENERATION, TEMPLATE_GENERATION, v2.GENERATION)}


def endpoint_of(document: Mapping[str, Any]) -> Endpoint:
    """The kind of task that a submission or a request on storage is about.

    Documents of older versions have the mode alone, which says it for the first generation of the API.
    """
    found = ENDPOINTS.get(str(document.get("endpoint", "")))
    return found or mode_endpoint(document.get("mode"))


def mode_endpoint(mode: Any) -> Endpoint:
    """The kind of task of a mode in the first generation of the API."""
    return TEMPLATE_GENERATION if mode == Mode.TEMPLATE else GENERATION
