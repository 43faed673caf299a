"""Writes `reference/settings.md` from the fields of `Settings`."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from minimax_tasks.settings import Settings

PAGE = Path(__file__).parent / "reference" / "settings.md"

_HEAD = """# Settings

A setting is read from three places. The first that has it wins:

1. the argument of a command or of a task (`--root`, `root=`);
2. the environment variable;
3. the section `[minimax]` of the [Luigi configuration](https://luigi.readthedocs.io/en/stable/configuration.html).

A value that is not allowed stops the command before anything is paid, and so does a name that is no setting: a
misspelt `budget` is no budget. The message names the setting, the value, where it was read, and what was probably meant.
The same goes for names of ours in the wrong place: `[Minimax]`, `MINMAX_BUDGET`, a `luigi.toml` that Luigi does not read.

Variables of MiniMax's own programs, such as `MINIMAX_API_HOST` and `MINIMAX_GROUP_ID`, may be set and say nothing here.

In a run of Luigi the settings are options as well (`--minimax-root`, `--minimax-budget`, …), which win over the
environment; `luigi --module minimax_tasks --help-all` lists them.

| setting | environment | default | meaning |
|---|---|---|---|
"""

_TAIL = """
The same as a file, for `LUIGI_CONFIG_PATH`:

```ini title="luigi.cfg"
[minimax]
root = s3://my-bucket/films
requests_per_minute = 20
budget = 50
```

The same section and names serve in `luigi.toml` (`LUIGI_CONFIG_PARSER=toml`, after `pip install toml`).

Where files lie on S3, Google Cloud Storage or Azure, endpoints and credentials come from
[fsspec's own configuration](https://filesystem-spec.readthedocs.io/en/latest/features.html#configuration) or from the
cloud's usual environment variables. [Install](../install.md) says which package each storage needs.

Proxies and certificates are those of the environment: `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`.
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items()) + _TAIL


def _row(name: str, field: FieldInfo) -> str:
    about = " ".join((field.description or "").split())
    return f"| `{name}` | `MINIMAX_{name.upper()}` | {_default(field.default)} | {about} |\n"


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value not in (None, "") else "none"
