"""Luigi's own configuration as a source of settings: the section `[minimax]`, and the options `--minimax-…`."""

from configparser import InterpolationError

import luigi
from luigi.cmdline_parser import CmdlineParser
from luigi.configuration.cfg_parser import InterpolationMissingEnvvarError
from luigi.parameter import ParameterVisibility
from pydantic.fields import FieldInfo

from minimax_tasks.errors import ConfigurationError
from minimax_tasks.settings import Settings, Source

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


CONFIGURATION = Source(where=_where, read=_read, names=_names)
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
