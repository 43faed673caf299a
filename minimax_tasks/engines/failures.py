"""Whether an engine should try again by itself after a failure."""

from minimax_tasks.errors import (
    ApiError,
    AuthenticationFailed,
    BudgetReached,
    CameraError,
    ConfigurationError,
    GenerationFailed,
    InputError,
    InsufficientBalance,
    InvalidRequest,
    NotTheApi,
    OutOfReach,
    PromptError,
    QuotaExhausted,
    SubmitRefused,
    TakenBack,
    UncertainSubmit,
    UncheckedVideo,
    UnreadableReference,
)

_FOR_A_PERSON = (
    InvalidRequest, InputError, CameraError, PromptError, UnreadableReference, ConfigurationError,
    AuthenticationFailed, InsufficientBalance, QuotaExhausted, NotTheApi, BudgetReached,
    SubmitRefused, UncertainSubmit, GenerationFailed, UncheckedVideo, OutOfReach,
)  # fmt: skip
"""Failures that the next try would meet again, until a person has changed something."""


def is_worth_a_try(error: BaseException) -> bool:
    """Whether the next try may end otherwise with nobody's help. No try pays a clip twice, whatever this says."""
    if isinstance(error, ApiError) and error.is_about_the_request:
        return False
    return isinstance(error, TakenBack) or not isinstance(error, _FOR_A_PERSON)
