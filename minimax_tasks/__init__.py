"""MiniMax (Hailuo) video generation as Luigi tasks, with storyboards and an offline sandbox.

Everything public is importable from here. Each name loads what it needs when it is first used: Luigi,
PyAV, Pillow and the sandbox cost nothing before.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minimax_tasks.api.client import MiniMaxClient
    from minimax_tasks.api.requests import (
        ImageToVideoRequest,
        ReferenceToVideoRequest,
        StartEndToVideoRequest,
        SubjectToVideoRequest,
        TemplateRequest,
        TextToVideoRequest,
    )
    from minimax_tasks.clips.events import ClipEvent
    from minimax_tasks.clips.make import MadeClip, Outcome, make, make_all
    from minimax_tasks.clips.request import ClipRequest
    from minimax_tasks.clips.service import Service
    from minimax_tasks.errors import (
        AnswerLost,
        ApiError,
        AuthenticationFailed,
        BoardError,
        BudgetReached,
        CameraError,
        ClipError,
        ConfigurationError,
        DownloadFailed,
        FilmIncomplete,
        GenerationFailed,
        GenerationTimeout,
        HeldBack,
        InputError,
        InputRejected,
        InsufficientBalance,
        InvalidParameters,
        InvalidRequest,
        IsFolder,
        MiniMaxCatalogWarning,
        MiniMaxError,
        MiniMaxInsecureWarning,
        NotConnected,
        NotTheApi,
        OutOfReach,
        OutputRejected,
        PictureError,
        PromptError,
        QuotaExhausted,
        RateLimited,
        ServiceError,
        SubclassError,
        SubmitRefused,
        TableError,
        TakenBack,
        UncertainSubmit,
        UncheckedVideo,
        UnreadableReference,
        VideoError,
    )
    from minimax_tasks.settings import Settings
    from minimax_tasks.tasks.build import build
    from minimax_tasks.tasks.dataset import DatasetShard, VideoDataset
    from minimax_tasks.tasks.events import Event
    from minimax_tasks.tasks.film import RenderStoryboard
    from minimax_tasks.tasks.modes import (
        ImageToVideo,
        ReferenceToVideo,
        StartEndToVideo,
        SubjectToVideo,
        TemplateVideo,
        TextToVideo,
    )
    from minimax_tasks.tasks.stages import DownloadVideo, PollVideo, SubmitVideo
    from minimax_tasks.tasks.target import FsspecTarget

__all__ = [
    "AnswerLost", "ApiError", "AuthenticationFailed", "BoardError", "BudgetReached", "CameraError",
    "ClipError", "ClipEvent", "ClipRequest", "ConfigurationError", "DatasetShard", "DownloadFailed",
    "DownloadVideo", "Event",
    "FilmIncomplete", "FsspecTarget", "GenerationFailed", "GenerationTimeout", "HeldBack", "ImageToVideo",
    "ImageToVideoRequest", "InputError", "InputRejected", "InsufficientBalance", "InvalidParameters",
    "InvalidRequest", "IsFolder", "MadeClip", "MiniMaxCatalogWarning", "MiniMaxClient", "MiniMaxError",
    "MiniMaxInsecureWarning", "NotConnected", "NotTheApi", "OutOfReach", "Outcome", "OutputRejected", "PictureError",
    "PollVideo", "PromptError", "QuotaExhausted", "RateLimited", "ReferenceToVideo",
    "ReferenceToVideoRequest", "RenderStoryboard", "Service",
    "ServiceError", "Settings", "StartEndToVideo", "StartEndToVideoRequest", "SubclassError",
    "SubjectToVideo",
    "SubjectToVideoRequest", "SubmitRefused", "SubmitVideo", "TableError", "TakenBack", "TemplateRequest",
    "TemplateVideo", "TextToVideo", "TextToVideoRequest", "UncertainSubmit", "UncheckedVideo",
    "UnreadableReference", "VideoDataset", "VideoError", "build", "make", "make_all",
]  # fmt: skip

_HOMES: dict[str, tuple[str, ...]] = {
    "api.client": ("MiniMaxClient",),
    "errors": (
        "AnswerLost",
        "ApiError",
        "AuthenticationFailed",
        "BoardError",
        "BudgetReached",
        "CameraError",
        "ClipError",
        "ConfigurationError",
        "DownloadFailed",
        "FilmIncomplete",
        "GenerationFailed",
        "GenerationTimeout",
        "HeldBack",
        "InputError",
        "InputRejected",
        "InsufficientBalance",
        "InvalidParameters",
        "InvalidRequest",
        "IsFolder",
        "MiniMaxCatalogWarning",
        "MiniMaxError",
        "MiniMaxInsecureWarning",
        "NotConnected",
        "NotTheApi",
        "OutOfReach",
        "OutputRejected",
        "PictureError",
        "PromptError",
        "QuotaExhausted",
        "RateLimited",
        "ServiceError",
        "SubclassError",
        "SubmitRefused",
        "TableError",
        "TakenBack",
        "UncertainSubmit",
        "UncheckedVideo",
        "UnreadableReference",
        "VideoError",
    ),
    "api.requests": (
        "ImageToVideoRequest",
        "ReferenceToVideoRequest",
        "StartEndToVideoRequest",
        "SubjectToVideoRequest",
        "TemplateRequest",
        "TextToVideoRequest",
    ),
    "clips.events": ("ClipEvent",),
    "clips.make": ("MadeClip", "Outcome", "make", "make_all"),
    "clips.request": ("ClipRequest",),
    "clips.service": ("Service",),
    "tasks.dataset": (
        "DatasetShard",
        "VideoDataset",
    ),
    "settings": ("Settings",),
    "tasks.target": ("FsspecTarget",),
    "tasks.events": ("Event",),
    "tasks.film": ("RenderStoryboard",),
    "tasks.build": ("build",),
    "tasks.modes": (
        "ImageToVideo",
        "ReferenceToVideo",
        "StartEndToVideo",
        "SubjectToVideo",
        "TemplateVideo",
        "TextToVideo",
    ),
    "tasks.stages": (
        "DownloadVideo",
        "PollVideo",
        "SubmitVideo",
    ),
}
"""Module -> the public names that it has."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def _find(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = found
    return found


if not TYPE_CHECKING:  # a type checker knows the names, and finds a misspelt one
    __getattr__ = _find


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def register_tasks() -> None:
    """Load every public name: Luigi's register knows only tasks whose module was imported."""
    for name in __all__:
        _find(name)


if "luigi" in sys.modules:
    # `luigi --module minimax_tasks TextToVideo` imports this package for its tasks alone.
    register_tasks()
