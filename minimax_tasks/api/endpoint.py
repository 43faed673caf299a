"""What a kind of task is asked for at: which paths create it, tell its status and give its file.

How its requests and answers look is its `Wire`: one for each generation of the API.
"""

import functools
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from minimax_tasks.api.answers import QueryAnswer
    from minimax_tasks.api.requests import VideoRequest

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """What an answer says of the request: the service's code (0 is success), in which words, and who to quote.

    `code` is None where the answer is not recognisably one of the API; then `status` is the HTTP status to go by,
    which a gateway may have written into the body of a 200.
    """

    code: int | None
    message: str = ""
    status: int = 200
    trace_id: str = ""


class Wire(Protocol):
    """How one generation of the API writes requests and is read."""

    def body(self, request: "VideoRequest") -> dict[str, Any]:
        """The JSON of a request."""

    def identity(self, request: "VideoRequest") -> dict[str, Any]:
        """What is sent beside prompt, model, size and files: a part of the clip's key."""

    def query(self, path: str, task_id: str) -> tuple[str, dict[str, str]]:
        """Path and parameters of the question how a task stands."""

    def free_question(self, path: str) -> tuple[str, dict[str, str]]:
        """Path and parameters of a question that costs nothing and that only the API answers."""

    def said(self, status: int, document: Document) -> Said:
        """What an answer says of the request."""

    def task_id(self, document: Document) -> str:
        """The id of the task that was created; "" when there is none."""

    def answer(self, document: Document) -> "QueryAnswer":
        """How a task stands."""


@dataclass(frozen=True)
class Endpoint:
    """The paths of one kind of task. Two kinds know nothing of each other's task ids.

    `name` is what `submission.json` has, so that a later run asks at the right place. `retrieve_path` gives the
    file of a `file_id`; "" when the query itself answers with the video's URL.
    """

    name: str
    submit_path: str
    query_path: str
    retrieve_path: str
    source: str
    generation: str
    """The folder of the API's generation: `v1`, `v2`."""
    list_path: str = ""
    """Lists the tasks of the account; "" where nothing does."""
    cancel_path: str = ""
    """Takes back a task that is queued; "" where nothing does."""
    kept_days: int | None = None
    """Days after which a task is answered as if it had never been; None where nothing is published."""
    former: "Endpoint | None" = None
    """Where its tasks have been known as well, undocumented: asked when a task is out of reach here."""
    rate_setting: str = "requests_per_minute"
    """The setting with the most requests a minute."""
    in_flight: int | None = None
    """Most tasks of an account at once; None where nothing is published."""
    takes_uploads: bool = False
    """Whether a request may name files that were uploaded."""
    paces_reads: bool = False
    """Whether the published rate is that of all requests, and not of submits alone."""

    @property
    def wire(self) -> Wire:
        """How requests are written and answers read. Loaded here, since the tables need the paths alone."""
        return _wire_of(self.generation)


@functools.cache
def _wire_of(generation: str) -> Wire:
    found: Wire = importlib.import_module(f"minimax_tasks.api.{generation}.wire").WIRE
    return found
