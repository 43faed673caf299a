"""What the modes share that a model makes: a prompt, a size, a ratio."""

from typing import Any

from pydantic import Field, StrictBool, StrictInt, StrictStr

from minimax_tasks.api.catalog.models import (
    Mode,
    ModelMode,
    Optimizer,
    PictureLimits,
    ReferenceLimits,
    SendSize,
    Size,
    find_model_mode,
    model_names,
    models_for,
)
from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.media import Media
from minimax_tasks.api.requests.base import Request
from minimax_tasks.api.requests.descriptions import (
    describe_duration,
    describe_prompt,
    describe_ratio,
    describe_resolution,
)
from minimax_tasks.api.requests.fields import UPLOADED, need_readable
from minimax_tasks.api.suggest import suggest
from minimax_tasks.errors import InvalidRequest

ADAPTIVE = "adaptive"
"""The ratio of a clip that has the shape of its pictures."""


class VideoRequest(Request):
    """What the modes that a model makes share."""

    model: StrictStr
    prompt: StrictStr = Field("", description=describe_prompt())
    duration: StrictInt | None = Field(None, description=describe_duration())
    resolution: StrictStr | None = Field(None, description=describe_resolution())
    prompt_optimizer: StrictBool = True
    """Let the service rewrite the prompt."""
    fast_pretreatment: StrictBool = False
    """Shorten the time of the prompt optimizer."""
    aigc_watermark: StrictBool = False
    """Put the service's watermark into the clip."""
    ratio: StrictStr | None = Field(None, description=describe_ratio())

    def check(self) -> None:
        """Raise `InvalidRequest` for a model, prompt, size or shape that the service would refuse."""
        super().check()
        row = self.model_mode  # raises for an unknown model
        limit = row.prompt_limit
        need_readable("prompt", self.prompt)
        if len(self.prompt) > limit:
            raise InvalidRequest(
                "prompt", self.prompt, f"at most {limit} characters", f"{len(self.prompt)} characters"
            )
        if (row.needs_prompt or self.mode is Mode.TEXT) and not self.prompt.strip():
            why = "text-to-video needs one" if self.mode is Mode.TEXT else f"{self.model} always needs one"
            raise InvalidRequest("prompt", self.prompt, f"1 to {limit} characters", why)
        self._check_size()
        self._check_ratio()
        for name, reference in self.pictures().items():
            if reference.startswith(UPLOADED) and not self.endpoint.takes_uploads:
                raise InvalidRequest(
                    name,
                    reference,
                    "an http(s) URL, a data URL or a path",
                    f"{self.model} knows no uploaded files",
                )

    def _check_ratio(self) -> None:
        ratios = self.model_mode.ratios
        if not ratios:
            if self.ratio is not None:
                why = f"the clips of {self.model} have one shape, or that of their first frame"
                raise InvalidRequest("ratio", self.ratio, "nothing", why)
            return
        if self.ratio is not None and self.ratio not in ratios:
            raise InvalidRequest("ratio", self.ratio, ratios, "there is no such ratio")
        if self.mode is Mode.TEXT and self.ratio in (None, ADAPTIVE):
            why = f"{self.model} needs one for a clip from text alone"
            raise InvalidRequest("ratio", self.ratio, [one for one in ratios if one != ADAPTIVE], why)

    @property
    def picture_limits(self) -> PictureLimits:
        """What pictures the model takes."""
        return self.model_mode.pictures

    @property
    def reference_limits(self) -> ReferenceLimits | None:
        """What references the model takes; None where it takes none."""
        return self.model_mode.references

    @property
    def sent_ratio(self) -> str | None:
        """The shape that is asked for; a clip with frames has theirs. None for a model that takes no ratio."""
        if not self.model_mode.ratios:
            return None
        return ADAPTIVE if self._has_frames or self.ratio is None else self.ratio

    @property
    def _has_frames(self) -> bool:
        return self.mode in (Mode.IMAGE, Mode.START_END)

    def media(self) -> tuple[Media, ...]:
        """The files that are sent, in their order. Raises `PictureError` for one that was not read yet."""
        return ()

    @property
    def model_mode(self) -> ModelMode:
        """The catalogue's row for this model in this mode."""
        found = find_model_mode(self.model, self.mode)
        if found is None:
            names = [model_mode.model for model_mode in models_for(self.mode)]
            near = suggest(self.model, names)
            why = f"not a model for {self.mode}" if self.model in model_names() else "there is no such model"
            raise InvalidRequest(
                "model", self.model, names, why + (f", did you mean {near}?" if near else "")
            )
        return found

    @property
    def endpoint(self) -> Endpoint:
        """Where it is sent, and its task is asked for."""
        return self.model_mode.endpoint

    @property
    def size(self) -> tuple[str, int]:
        """Resolution and seconds that are asked for, defaults filled in."""
        if self.model_mode.sends_size is SendSize.NEVER:
            return self.model_mode.default_resolution, self.model_mode.default_seconds
        return self._given_size

    @property
    def sends_fast_pretreatment(self) -> bool:
        """Whether `fast_pretreatment` is on the wire: the model has it, and an optimizer to shorten."""
        return self.fast_pretreatment and self.prompt_optimizer and self.model_mode.fast_pretreatment

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt that the service takes this, from disagreeing public material."""
        model_mode = self.model_mode
        row = self._size_row(*self._given_size)
        reasons = [model_mode.caveat, row.caveat if row else ""]
        if model_mode.sends_size is SendSize.NEVER and (self.duration, self.resolution) != (None, None):
            reasons.append(
                f"duration and resolution are listed for all modes, but the API reference has neither for "
                f"{self.mode}: they are left out, and the service chooses"
            )
        if not self.prompt_optimizer and model_mode.optimizer is Optimizer.NONE:
            reasons.append(
                f"{self.model} cannot be told to leave a prompt as it is: prompt_optimizer is left out"
            )
        if self._has_frames and self.ratio not in (None, ADAPTIVE):
            reasons.append(f"ratio = {self.ratio} is left out: the clip has the shape of its frame")
        if self.ratio is None:
            reasons.append(model_mode.wants_ratio)
        if self.fast_pretreatment and not self.sends_fast_pretreatment:
            reasons.append(
                "fast_pretreatment shortens the prompt optimizer, which is off: it is left out"
                if model_mode.fast_pretreatment
                else "fast_pretreatment is listed for all modes and models, but the API reference does not "
                f"have it for {self.model} in {self.mode}: it is left out"
            )
        return tuple(filter(None, reasons))

    @property
    def usd(self) -> float | None:
        """The published price in USD, or None when there is none."""
        return self.model_mode.usd(*self.size, pictures=len(self.pictures()))

    def identity(self) -> dict[str, Any]:
        """What is sent apart from pictures and `callback_url`, defaults filled in: a part of the clip's key."""
        facts = self.facts()
        # These four for ever: with another member every key changes, and clips that are paid for are not found.
        always = {name: facts[name] for name in ("prompt", "model", "resolution", "duration")}
        return always | self.endpoint.wire.identity(self)

    @property
    def label(self) -> str:
        """What makes the clip, for people."""
        resolution, seconds = self.size
        return f"{self.model} {resolution} {seconds} s"

    @property
    def prompt_text(self) -> str | None:
        """The prompt."""
        return self.prompt

    def facts(self) -> dict[str, Any]:
        """Prompt, model, resolution, duration and ratio, defaults filled in."""
        resolution, seconds = self.size
        return {
            "prompt": self.prompt,
            "model": self.model,
            "resolution": resolution,
            "duration": seconds,
            "ratio": self.sent_ratio,
        }

    def fields(self) -> dict[str, Any]:
        """What was given and the model, since the default one may become another."""
        return super().fields() | {"model": self.model}

    @property
    def sends_size(self) -> bool:
        """Whether `duration` and `resolution` are on the wire."""
        row = self.model_mode
        default = self.size == (row.default_resolution, row.default_seconds)
        return row.sends_size is SendSize.ALWAYS or not default

    @property
    def sends_expansion_off(self) -> bool:
        """Whether the model is told not to write more into the prompt."""
        return not self.prompt_optimizer and self.model_mode.optimizer is Optimizer.EXPANSION

    def body(self) -> dict[str, Any]:
        """The JSON of the wire, as the model's generation of the API has it."""
        return self.endpoint.wire.body(self)

    @property
    def _given_size(self) -> tuple[str, int]:
        resolution = (self.resolution or self.model_mode.default_resolution).upper()
        return resolution, self.model_mode.default_seconds if self.duration is None else self.duration

    def _size_row(self, resolution: str, seconds: int) -> Size | None:
        rows = [size for size in self.model_mode.sizes if size.resolution == resolution]
        return next((size for size in rows if seconds in size.seconds), None)

    def _check_size(self) -> None:
        resolution, seconds = self._given_size
        if self._size_row(resolution, seconds):
            return
        sizes = self.model_mode.sizes
        allowed = sorted({s for size in sizes if size.resolution == resolution for s in size.seconds})
        if not allowed:
            known = list(dict.fromkeys(size.resolution for size in sizes))
            raise InvalidRequest(
                "resolution", self.resolution, known, f"not made by {self.model} in {self.mode}"
            )
        others = [f"{seconds} s at {size.resolution}" for size in sizes if seconds in size.seconds]
        hint = f" ({' or '.join(others)} is possible)" if others else ""
        raise InvalidRequest(
            "duration", self.duration, allowed, f"not made by {self.model} at {resolution}{hint}"
        )
