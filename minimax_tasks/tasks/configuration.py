"""Luigi's own configuration as a source of settings: the section `[minimax]`."""

from configparser import InterpolationError

import luigi
from luigi.configuration.cfg_parser import InterpolationMissingEnvvarError

from minimax_tasks.errors import ConfigurationError

SECTION = "[minimax] of the Luigi configuration"


def luigi_section(name: str) -> str:
    """A setting of the Luigi configuration, "" for none. A `%` that begins no reference is read as it stands.

    Raises `ConfigurationError` for an environment variable that it names and that is not set.
    """
    section = luigi.configuration.get_config()
    try:
        return str(section.get("minimax", name, None) or "").strip()
    except InterpolationMissingEnvvarError:
        missing = True
    except InterpolationError:
        missing = False
    if missing:
        raise ConfigurationError(f"{name} ({SECTION}) names an environment variable that is not set")
    return str(section.get("minimax", name, raw=True)).strip()
