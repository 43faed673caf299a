"""Settings: an argument wins over the environment, which wins over Luigi's section `[minimax]`.

Both are closed vocabularies: a name there that is no setting is an error, since a misspelt budget is no budget.

Nothing here knows Luigi. Its configuration is read by the room of Luigi, which is loaded for that only where there
is such a configuration: where Luigi is in use, or one of its files lies where it looks for them.
"""

import configparser
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from minimax_tasks.api.catalog.hosts import DEFAULT_BASE_URL, region_language
from minimax_tasks.api.client import MiniMaxClient, wrong_with_address
from minimax_tasks.api.suggest import suggest
from minimax_tasks.errors import ConfigurationError
from minimax_tasks.redaction import clean, keep_secret, shortened, shown

_LUIGI_FILES = (
    "/etc/luigi/client.cfg", "/etc/luigi/luigi.cfg", "client.cfg", "luigi.cfg", "/etc/luigi/luigi.toml", "luigi.toml"
)  # fmt: skip
"""Where Luigi looks for its configuration (`luigi.configuration`), besides `LUIGI_CONFIG_PATH`."""


OF_OTHERS = frozenset(
    f"MINIMAX_{name}"
    for name in (
        "API_BASE", "API_HOST", "API_RESOURCE_MODE", "CN_API_KEY", "CN_BASE_URL", "CONFIG_PATH", "GROUP_ID",
        "MCP_BASE_PATH", "OUTPUT", "REGION", "RESOURCE_MODE", "SERVER_ENDPOINT", "SERVER_PORT", "TIMEOUT",
        "TRANSPORT_MODE", "VERBOSE",
    )
)  # fmt: skip
"""Variables of MiniMax's own command, and of MCP servers and clients that others publish. They may be set, and say
nothing here."""

_PREFIX = "MINIMAX_"

_ALIKE = 0.9
"""How much of a word has to be `minimax` for it to be a misspelling of that; `minimal` has less."""

_NAMES_OF_OTHERS = frozenset({"minimaxi"})
"""The domain of the service, by which others call what belongs to it."""


def is_nearly_ours(word: str) -> bool:
    """Whether a word is probably meant to be `minimax`, and is not."""
    letters = re.sub("[^a-z]", "", word.casefold())
    alike = SequenceMatcher(None, letters, "minimax").ratio() >= _ALIKE
    return alike and letters not in _NAMES_OF_OTHERS


def _nothing_misplaced() -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Source:
    """Where settings are read from."""

    where: Callable[[str], str]
    """Name of a setting -> where it is read from, for messages."""
    read: Callable[[str], str]
    """Name of a setting -> its value, "" for none."""
    names: Callable[[], Iterable[str]]
    """The names that are set there, of settings or not."""
    misplaced: Callable[[], Iterable[str]] = _nothing_misplaced
    """What is wrong with settings that stand beside the place where they are read; they would say nothing."""


def _environment_variable(name: str) -> str:
    return f"{_PREFIX}{name.upper()}"


def _names_in_environment() -> list[str]:
    ours = (name for name in os.environ if name.startswith(_PREFIX) and name not in OF_OTHERS)
    return [name.removeprefix(_PREFIX).lower() for name in ours if os.environ[name].strip()]


def _misplaced_in_environment() -> Iterable[str]:
    """Variables of a misspelt beginning. Not keys: without one, nothing is sent."""
    endings = {f"_{name.upper()}": name for name in Settings.model_fields if name != "api_key"}
    alike = tuple(endings)
    for name in os.environ:
        if name.startswith(_PREFIX) or not name.upper().endswith(alike):
            continue
        ending = max((one for one in endings if name.upper().endswith(one)), key=len)
        if is_nearly_ours(name[: -len(ending)]) and os.environ[name].strip():
            yield f"{clean(name)} is no setting; did you mean {_environment_variable(endings[ending])}?"


_ENVIRONMENT = Source(
    where=_environment_variable,
    read=lambda name: os.environ.get(_environment_variable(name), "").strip(),
    names=_names_in_environment,
    misplaced=_misplaced_in_environment,
)


def _room_of_luigi() -> Any:
    try:
        return importlib.import_module("minimax_tasks.tasks.configuration")
    except (configparser.Error, ValueError) as error:
        why = _wrong_with_file(error)
    # Outside of the handler: the parsers' errors hold the line that they do not understand.
    raise ConfigurationError(f"the Luigi configuration cannot be read: {why}")


_WRONG_WITH_LINE = {
    configparser.MissingSectionHeaderError: "there is no [section] above it",
    configparser.DuplicateOptionError: "this name stands there twice",
    configparser.DuplicateSectionError: "this [section] stands there twice",
    configparser.ParsingError: "it is no `name = value`",
}


def _wrong_with_file(error: Exception) -> str:
    """Which line of which file, and what is wrong with it, without what it says."""
    found = re.search(r"line\s+(\d+)", str(error))
    line = getattr(error, "lineno", None) or (found and found[1])
    source = str(getattr(error, "source", "") or os.environ.get("LUIGI_CONFIG_PATH", ""))
    place = ", ".join(filter(None, (shown(source), f"line {line}" if line else "")))
    return f"{place}: {_WRONG_WITH_LINE.get(type(error), 'it is not understood')}"


def default_sources() -> list[Source]:
    """The environment, and what Luigi was told on its command line and in its configuration where there is one.

    Raises `ConfigurationError` for a configuration that cannot be read.
    """
    if "luigi" in sys.modules or "LUIGI_CONFIG_PATH" in os.environ or any(map(os.path.exists, _LUIGI_FILES)):
        luigi = _room_of_luigi()
        return [luigi.COMMAND_LINE, _ENVIRONMENT, luigi.CONFIGURATION]
    return [_ENVIRONMENT]


CLOCK_SKEW = timedelta(minutes=5)
"""How far apart the clocks of two machines may be."""


def _not_ahead(moment: datetime) -> datetime:
    """A person's word is about what has failed; for what will fail it is no word."""
    now = datetime.now(UTC)
    if moment > now + CLOCK_SKEW:
        raise ValueError(
            f"it lies in the future; allowed: a moment up to now, {now.isoformat(timespec='seconds')}"
        )
    return moment


def _an_address(url: str) -> str:
    if url and (why := wrong_with_address(url)):
        raise ValueError(f"{why}allowed: a URL such as https://callbacks.example.com")
    return url


SHARED_RESOURCE, NO_RESOURCE = "minimax_submits", "none"
"""`submit_resource` under a central scheduler, and its value that takes it away."""


def _names_path(link: str) -> str:
    if link and "{path}" not in link:
        raise ValueError("it has no {path}, where the path of a video below the root goes")
    return link


class Settings(BaseModel):
    """Every setting as a value. The key never shows when this is printed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    api_key: SecretStr = SecretStr("")
    """The key of the MiniMax account. The sandbox takes any."""
    base_url: str = DEFAULT_BASE_URL
    """Address of the service. A key of the global platform needs `https://api.minimax.io`."""
    root: str = Field("minimax-output", min_length=1)
    """Where the files go: a path, or any fsspec URL."""
    requests_per_minute: float = Field(20, ge=0)
    """Most submits a minute to the first generation of the API, by all processes of one user on a machine together; 0
    means that nothing is paced."""
    h3_requests_per_minute: float = Field(300, ge=0)
    """Most requests a minute about MiniMax-H3, of all kinds."""
    h3_in_flight: int = Field(30, ge=0)
    """Most tasks of MiniMax-H3 that an account has under way at once; 0 means any number."""
    poll_interval: float = Field(10, gt=0, allow_inf_nan=False)
    """Seconds between two looks at a task."""
    generation_timeout: float = Field(1800, gt=0)
    """Seconds that a run waits for one clip. A later run continues to wait; nothing is paid again."""
    max_in_flight: int = Field(100, ge=1)
    """Most clips that one process has under way."""
    budget: float | None = Field(None, ge=0)
    """Most USD, by the price table, that may be spent on a root, earlier runs included; None means no limit."""
    paid_attempts: int = Field(1, ge=1, le=10)
    """How often to pay for a clip whose generation fails for reasons unrelated to the input."""
    retry_failed_before: Annotated[AwareDatetime, AfterValidator(_not_ahead)] | None = None
    """Clips that failed for good before this moment are submitted once more (`--retry-failed` sets it)."""
    submit_resource: str = ""
    """Luigi resource that each submit holds for 60 / requests_per_minute seconds. Under a central scheduler it is
    `minimax_submits` when left out, so that all its workers together keep to the rate; `none` takes it away."""
    receiver_url: Annotated[str, AfterValidator(_an_address)] = ""
    """Public address of a running `minimax-tasks receive`."""
    tracking_url: Annotated[str, AfterValidator(_names_path)] = ""
    """Link of a clip on Luigi's page, such as `https://videos.example/{path}`, where `{path}` is that of the video below
    the root. Left out, it is the file, or its page in the console of S3 or Google Cloud Storage."""
    language: Literal["en", "zh"] | None = None
    """Language of camera brackets; None means that of the region of `base_url`."""

    @classmethod
    def load(cls, *, sources: Iterable[Source] | None = None, **arguments: Any) -> "Settings":
        """The settings of this process; arguments that are None count as absent.

        `sources` are asked in their order; left out, they are the environment and Luigi's configuration. Raises
        `ConfigurationError` naming the setting, its value and where it was read, and for names that are no settings.
        """
        asked = list(default_sources() if sources is None else sources)
        for source in asked:
            cls._check_names(source)
        found: dict[str, Any] = {}
        origin: dict[str, str] = {}
        for name in cls.model_fields:
            if arguments.get(name) is not None:
                found[name], origin[name] = arguments[name], "argument"
                continue
            for source in asked:
                if value := source.read(name):
                    found[name], origin[name] = value, source.where(name)
                    break
        return cls._checked(found, origin)

    @classmethod
    def _check_names(cls, source: Source) -> None:
        known = list(cls.model_fields)
        unknown = [name for name in source.names() if name.replace("-", "_") not in known]
        wrong = [*(cls._not_a_setting(name, source) for name in unknown), *source.misplaced()]
        if wrong:
            raise ConfigurationError("; ".join(wrong))

    @classmethod
    def _not_a_setting(cls, name: str, source: Source) -> str:
        guess = suggest(name.replace("-", "_"), cls.model_fields)
        meant = f"did you mean {source.where(guess)}?" if guess else f"allowed: {', '.join(cls.model_fields)}"
        return f"{clean(source.where(shortened(name)))} is no setting; {meant}"

    def having(self, **arguments: Any) -> "Settings":
        """The same with other values; arguments that are None count as absent. Raises `ConfigurationError`."""
        given = {name: value for name, value in arguments.items() if value is not None}
        if not given:
            return self
        stated = {name: getattr(self, name) for name in self.model_fields_set}
        return self._checked(stated | given, dict.fromkeys(given, "argument"))

    @classmethod
    def _checked(cls, found: dict[str, Any], origin: dict[str, str]) -> "Settings":
        key = found.get("api_key", "")
        keep_secret(key.get_secret_value() if isinstance(key, SecretStr) else str(key))
        try:
            return cls(**found)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
        # Outside of the handler: pydantic's error holds what was given.
        name = str(first["loc"][0])
        given = "" if name == "api_key" else f" = {shown(str(found.get(name)))!r}"
        raise ConfigurationError(f"{name}{given} ({origin.get(name, 'default')}): {first['msg']}")

    def submit_resources(self, *, shared: bool) -> dict[str, int]:
        """The Luigi resources of a task that submits; `shared`: others get tasks from the same scheduler."""
        name = self.submit_resource or (SHARED_RESOURCE if shared else "")
        return {name: 1} if name not in ("", NO_RESOURCE) and self.requests_per_minute else {}

    def submit_seconds(self, *, shared: bool) -> float:
        """How long a submit holds its Luigi resource; 0 without one."""
        return 60 / self.requests_per_minute if self.submit_resources(shared=shared) else 0.0

    @property
    def bracket_language(self) -> str:
        """`language`, or that of the region of `base_url`; a host of no region counts as the default one."""
        return self.language or region_language(self.base_url)

    def client(self) -> MiniMaxClient:
        """A client with this key and host. Raises `ConfigurationError` when there is no key."""
        return MiniMaxClient(self.api_key.get_secret_value(), self.base_url)
