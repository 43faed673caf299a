"""MiniMax (Hailuo) video generation as Luigi tasks, with storyboards and an offline sandbox.

Everything public is importable from here. PyAV, Pillow and the sandbox load when they are first used.
"""

from minimax_tasks.api.client import MiniMaxClient
from minimax_tasks.api.errors import (
    AnswerLost,
    ApiError,
    AuthenticationFailed,
    BoardError,
    BudgetReached,
    ConfigurationError,
    DownloadFailed,
    FilmIncomplete,
    GenerationFailed,
    GenerationTimeout,
    InputRejected,
    InsufficientBalance,
    InvalidParameters,
    InvalidRequest,
    MiniMaxCatalogWarning,
    MiniMaxError,
    NotConnected,
    OutputRejected,
    PictureError,
    QuotaExhausted,
    RateLimited,
    ServiceError,
    SubmitRefused,
    TableError,
    UncertainSubmit,
)
from minimax_tasks.api.requests import (
    ImageToVideoRequest,
    StartEndToVideoRequest,
    SubjectToVideoRequest,
    TemplateRequest,
    TextToVideoRequest,
)
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.dataset.tasks import DatasetShard, VideoDataset
from minimax_tasks.settings import Settings
from minimax_tasks.storage.target import FsspecTarget
from minimax_tasks.storyboard.tasks import RenderStoryboard
from minimax_tasks.tasks.building import build
from minimax_tasks.tasks.modes import (
    ImageToVideo,
    StartEndToVideo,
    SubjectToVideo,
    TemplateVideo,
    TextToVideo,
)
from minimax_tasks.tasks.stages import DownloadVideo, PollVideo, SubmitVideo

__all__ = [
    "AnswerLost", "ApiError", "AuthenticationFailed", "BoardError", "BudgetReached", "ClipRequest",
    "ConfigurationError", "DatasetShard", "DownloadFailed", "DownloadVideo", "FilmIncomplete", "FsspecTarget",
    "GenerationFailed", "GenerationTimeout", "ImageToVideo", "ImageToVideoRequest", "InputRejected",
    "InsufficientBalance", "InvalidParameters", "InvalidRequest", "MiniMaxCatalogWarning", "MiniMaxClient",
    "MiniMaxError", "NotConnected", "OutputRejected", "PictureError", "PollVideo", "QuotaExhausted",
    "RateLimited", "RenderStoryboard", "ServiceError", "Settings", "StartEndToVideo",
    "StartEndToVideoRequest", "SubjectToVideo", "SubjectToVideoRequest", "SubmitRefused", "SubmitVideo",
    "TableError", "TemplateRequest", "TemplateVideo", "TextToVideo", "TextToVideoRequest", "UncertainSubmit",
    "VideoDataset", "build",
]  # fmt: skip
