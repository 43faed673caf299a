"""The names of everything that is kept under a root. No other module spells them.

| file of a clip, `clips/<key>/` | written | says |
|---|---|---|
| `request.json` | before the first claim | what was asked, for people |
| `claim.N.json` | before the N-th POST, by exclusive create | somebody is about to pay |
| `released.N.json` | after a POST that certainly created nothing | the claim is void, and why |
| `doubt.N.json` | after a POST whose outcome is not known | the clip may have been paid |
| `submission.json` | right after the service accepted the N-th POST | the task id |
| `cancelled.N.json` | after the N-th task was taken back while it was queued | nothing is charged for it |
| `submission.N.json` | when there is another `submission.json`, too | the task id of the N-th POST |
| `result.json` | when the task is over | the final query answer |
| `warnings.json` | before the video, if at all | how the video differs from what was asked |
| `video.unchecked.*` | after a download that came whole and is no video that we know | a person must look |
| `video.mp4` | last | the clip is made |
| `previews.json` | when a report was made | small pictures of the video |

Beside the clips: `clips/made-by.json` and `clips/drawn-at.json` (whose clips they are), `pictures/` (what
pictures were when they were submitted, and those that were given as bytes), `requests/` (what was given to Luigi's
central scheduler by name), `tasks/` (which clip a task is of), `turns/` (which
clip of a shape was submitted when), `callbacks/`, `own/` (frames and drawings of shots that are not generated), and
what is made of clips: `films/` and `datasets/`.
"""

import hashlib
import re
from collections.abc import Mapping

from minimax_tasks.storage.drafts import is_draft

CLIPS = "clips"
PICTURES = "pictures"
TASKS = "tasks"
TURNS = "turns"
CALLBACKS = "callbacks"
FILMS = "films"
DATASETS = "datasets"
REQUESTS = "requests"
OWN = "own"
"""What shots give that are not generated: drawn videos, and frames from which clips start."""

SANDBOX = "sandbox"
"""The tasks of a private sandbox."""

OWN_FOLDERS = (CLIPS, PICTURES, TASKS, CALLBACKS, FILMS, DATASETS, REQUESTS, OWN, SANDBOX)
"""Everything right under a root that is ours."""

REQUEST = "request.json"
SUBMISSION = "submission.json"
RESULT = "result.json"
WARNINGS = "warnings.json"
VIDEO = "video.mp4"
PREVIEWS = "previews.json"

FILM = "film.mp4"
REPORT = "report.html"
FILM_MANIFEST = "manifest.json"
PARTIAL_FILM = "film.partial.mp4"
"""A film with slates for its missing shots: never under the film's own name."""

METADATA = "metadata.jsonl"
FAILED_ROWS = "failed.jsonl"
DATASET_MANIFEST = ".dataset.json"
CARD = "README.md"
"""What a dataset says of itself, where the Hugging Face hub and `datasets` look for it."""

OWNER = ".made-from.json"
"""Which board or table the folder of a film or a dataset belongs to."""

MADE_BY = f"{CLIPS}/made-by.json"
"""Which service made the clips of the root."""

DRAWN_AT = f"{CLIPS}/drawn-at.json"
"""The scale at which a sandbox drew the clips of the root."""

_UNCHECKED = "video.unchecked."
_NUMBERED = re.compile(r"(?P<kind>[a-z]+)\.(?P<number>[1-9][0-9]*)\.json")


def clip_folder(key: str) -> str:
    """The folder of a clip."""
    return f"{CLIPS}/{key}"


def clip_file(key: str, name: str) -> str:
    """A file of a clip."""
    return f"{CLIPS}/{key}/{name}"


def own_file(key: str, name: str) -> str:
    """A file of a shot that is not generated, by the key of its own clip."""
    return f"{OWN}/{key}/{name}"


def own_frame(key: str, place: str) -> str:
    """The frame of an own clip at `first`, `last` or so many seconds."""
    return own_file(key, f"frame-{place}.png")


def claim_name(number: int) -> str:
    """The file that says that somebody is about to send the N-th POST for a clip."""
    return f"claim.{number}.json"


def released_name(number: int) -> str:
    """The file that says that the N-th POST created nothing."""
    return f"released.{number}.json"


def doubt_name(number: int) -> str:
    """The file that says that the outcome of the N-th POST is unknown."""
    return f"doubt.{number}.json"


def cancelled_name(number: int) -> str:
    """The file that says that the task of the N-th POST was taken back, so that it is not charged."""
    return f"cancelled.{number}.json"


def cancelled_number(name: str) -> int:
    """The N of `cancelled_name`; 0 for any other name."""
    return _number(name, "cancelled")


def turn_name(shape: str, number: int) -> str:
    """The file that says which clip was the N-th of its shape to be submitted."""
    return f"{turns_folder(shape)}/{number:06}.json"


def turns_folder(shape: str) -> str:
    """The folder with the turns of a shape."""
    return f"{TURNS}/{shape}"


def candidate_name(task_id: str) -> str:
    """A still of a task that may be the clip's, for a person to look at."""
    return f"candidate.{task_id}.jpg"


def submission_name(number: int) -> str:
    """The file with the task id of the N-th POST when another POST has `SUBMISSION`."""
    return f"submission.{number}.json"


def claim_number(name: str) -> int:
    """The N of the name of a claim; 0 for any other name."""
    return _number(name, "claim")


def released_number(name: str) -> int:
    """The N of the name of a release; 0 for any other name."""
    return _number(name, "released")


def doubt_number(name: str) -> int:
    """The N of the name of a doubt; 0 for any other name."""
    return _number(name, "doubt")


def submission_number(name: str) -> int:
    """The N of `submission_name`; 0 for any other name."""
    return _number(name, "submission")


def _number(name: str, kind: str) -> int:
    found = _NUMBERED.fullmatch(name)
    return int(found["number"]) if found and found["kind"] == kind else 0


def may_hold_submission(name: str) -> bool:
    """Whether a file may hold a submission under another name than `SUBMISSION`, or one that was never published."""
    return bool(submission_number(name)) or (name.startswith(".submission.") and is_draft(name))


def unchecked_name(extension: str) -> str:
    """The file with a video that a person must look at."""
    return f"{_UNCHECKED}{extension}"


def is_unchecked(name: str) -> bool:
    """Whether a file is a video that a person must look at."""
    return name.startswith(_UNCHECKED)


def picture_memory(reference: str) -> str:
    """What a picture was when it was last submitted; `reference` is its full name."""
    return f"{PICTURES}/{_hashed(reference)}.json"


def sent_memory(how: str) -> str:
    """What was sent of a picture; `how` says of which, and how it was changed."""
    return f"{PICTURES}/sent-{_hashed(how)}.json"


def kept_picture(digest: str, *, pixels: bool = False) -> str:
    """A picture that was given as bytes or pixels, by their SHA-256."""
    return f"{PICTURES}/{'pixels-' if pixels else ''}{digest}"


def request_file(name: str) -> str:
    """A request that a task of Luigi's names."""
    return f"{REQUESTS}/{name}.json"


def task_file(task_id: str) -> str:
    """Which clip a task is of."""
    return f"{TASKS}/{_hashed(task_id)}.json"


def callback_of_task(task_id: str) -> str:
    """The newest callback about a task."""
    return f"{CALLBACKS}/task-{task_id}.json"


def by_task(names: Mapping[str, str]) -> dict[str, str]:
    """Of what is known by the names of files in `CALLBACKS`, that of callbacks about tasks, by their ids."""
    return {
        name.removeprefix("task-").removesuffix(".json"): known
        for name, known in names.items()
        if name.startswith("task-") and name.endswith(".json")
    }


def callback_of_submit(key: str, nonce: str) -> str:
    """The callback that came to the address of a submit."""
    return f"{CALLBACKS}/submit-{key}-{nonce}.json"


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
