"""Camera commands in the prompts of tasks: reported when they are not valid, and sent in one form."""

import contextlib
import warnings

from minimax_tasks.api.requests import AnyRequest, VideoRequest
from minimax_tasks.clips.pictures import known_clip
from minimax_tasks.clips.spellings import is_begun
from minimax_tasks.errors import InvalidRequest, MiniMaxCatalogWarning, PictureError
from minimax_tasks.prompts.bracket_commands import check_prompt, normalise_brackets, spellings_before
from minimax_tasks.storage.files import Storage


def as_sent(request: AnyRequest) -> AnyRequest:
    """The request with its camera commands as the service has them; the same where they are already."""
    if not isinstance(request, VideoRequest):
        return request
    prompt = normalise_brackets(request.prompt, request.model)
    return request if prompt == request.prompt else request.model_copy(update={"prompt": prompt})


def spellings_of(request: AnyRequest) -> tuple[str, ...]:
    """How the prompt may have been spelled when the clip was paid for."""
    return spellings_before(request.prompt) if isinstance(request, VideoRequest) else ()


def judge_commands(root: Storage, request: AnyRequest, take: int) -> None:
    """Warn about doubtful camera commands in the prompt of a request, as it was written.

    Raises `InvalidRequest` for what looks like a command and is none, unless the clip was submitted with it
    under this root.
    """
    if not isinstance(request, VideoRequest):
        return
    wrong, doubts = check_prompt(request.prompt, model=request.model)
    if wrong and not _is_paid(root, request, take):
        raise InvalidRequest(
            "prompt", request.prompt, "camera commands that the service has", "; ".join(wrong)
        )
    for doubt in (*wrong, *doubts):
        warnings.warn(f"prompt: {doubt}", MiniMaxCatalogWarning, stacklevel=2)


def _is_paid(root: Storage, request: AnyRequest, take: int) -> bool:
    with contextlib.suppress(PictureError):
        clip = known_clip(root, as_sent(request), take, written=spellings_of(request))
        return is_begun(root, clip.key)
    return False
