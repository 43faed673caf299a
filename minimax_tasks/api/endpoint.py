"""What a kind of task is asked for at: which paths create it, tell its status and give its file."""

from dataclasses import dataclass


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
