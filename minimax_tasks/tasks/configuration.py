"""Luigi's own configuration as a source of settings: the section `[minimax]`, and the options `--minimax-…`."""

import os
import re
from collections.abc import Iterable, Iterator
from configparser import InterpolationError

import luigi
import luigi.configuration.core
from luigi.cmdline_parser import CmdlineParser
from luigi.configuration.cfg_parser import InterpolationMissingEnvvarError
from luigi.configuration.toml_parser import LuigiTomlParser
from luigi.parameter import ParameterVisibility
from pydantic.fields import FieldInfo

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.redaction import clean, shown
from minimax_tasks.settings import Settings, Source, is_nearly_ours

_SECTION = "minimax"


def _where(name: str) -> str:
    return f"{name} ([{_SECTION}] of the Luigi configuration)"


def _read(name: str) -> str:
    """A setting of the Luigi configuration, "" for none. A `%` that begins no reference is read as it stands.

    Raises `ConfigurationError` for an environment variable that it names and that is not set.
    """
    configuration = luigi.configuration.get_config()
    try:
        value = configuration.get(_SECTION, name, None)
        return "" if value is None else str(value).strip()
    except InterpolationMissingEnvvarError:
        missing = True
    except InterpolationError:
        missing = False
    if missing:
        raise ConfigurationError(f"{_where(name)} names an environment variable that is not set")
    return str(configuration.get(_SECTION, name, raw=True)).strip()


def _names() -> list[str]:
    """The keys of the section, without those that every section has from `[DEFAULT]`."""
    configuration = luigi.configuration.get_config()
    try:
        section = configuration[_SECTION]
    except KeyError:
        return []
    everywhere = configuration.defaults() if hasattr(configuration, "defaults") else {}
    return [str(name) for name in section if name not in everywhere]


_OF_TASKS_TOO = frozenset({"root", "max_in_flight"})
"""Settings that are parameters of tasks as well, so that they may stand in the section of one."""

_OURS = re.compile(rf"^[ \t]*\[[ \t]*{_SECTION}[ \t]*\]", re.MULTILINE)


def _misplaced() -> Iterator[str]:
    """Sections of a misspelt name, and files that Luigi does not read as it is set up."""
    for section, names in _sections():
        is_meant = any(
            name.replace("-", "_") in Settings.model_fields.keys() - _OF_TASKS_TOO for name in names
        )
        if section != _SECTION and is_nearly_ours(section) and is_meant:
            yield (
                f"[{clean(section)}] of the Luigi configuration is no section of settings; "
                f"did you mean [{_SECTION}]?"
            )
    chosen = luigi.configuration.core._get_default_parser()
    for path in ("luigi.cfg", "luigi.toml", os.environ.get("LUIGI_CONFIG_PATH", "")):
        kind = path.rpartition(".")[2]
        parsers = luigi.configuration.core.PARSERS
        if kind in parsers and parsers[kind] is not parsers[chosen] and _has_our_section(path):
            yield (
                f"{shown(path)} has a section [{_SECTION}], and Luigi does not read that file: "
                f"it does with LUIGI_CONFIG_PARSER={kind}"
            )


def _sections() -> Iterator[tuple[str, Iterable[str]]]:
    configuration = luigi.configuration.get_config()
    names = configuration.data if isinstance(configuration, LuigiTomlParser) else configuration.sections()
    for name in names:
        yield str(name), map(str, configuration[name])


def _has_our_section(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return _OURS.search(file.read()) is not None
    except OSError:
        return False


CONFIGURATION = Source(where=_where, read=_read, names=_names, misplaced=_misplaced)
"""`luigi.cfg`, or `luigi.toml`."""


def _option(name: str) -> str:
    return f"--{_SECTION}-{name.replace('_', '-')}"


def _given(name: str) -> str:
    parser = CmdlineParser.get_instance()
    value = getattr(parser.known_args, f"{_SECTION}_{name}", None) if parser else None
    return "" if value is None else str(value).strip()


COMMAND_LINE = Source(where=_option, read=_given, names=lambda: ())
"""What a run of Luigi was started with; it refuses other options itself."""


def _parameter(name: str, field: FieldInfo) -> luigi.OptionalParameter:
    secret = name == "api_key"
    return luigi.OptionalParameter(
        default=None,
        description=" ".join((field.description or "").split()).replace("%", "%%"),
        significant=not secret,
        visibility=ParameterVisibility.PRIVATE if secret else ParameterVisibility.PUBLIC,
    )


minimax: type[luigi.Config] = type(
    _SECTION,
    (luigi.Config,),
    {
        "__doc__": "The settings as Luigi shows them in `--help-all`; `Settings` is what reads and judges them.",
        "__module__": __name__,
        **{name: _parameter(name, field) for name, field in Settings.model_fields.items()},
    },
)
