"""The pytest plugin of minimax-tasks: the fixture `minimax_sandbox`.

A module beside the package, not in it: pytest loads the plugins of whatever is installed when it starts, and
to load this one must not load the package, which would cost every run of pytest a second and hide the
package's import from a coverage measurement.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from minimax_tasks.sandbox import Sandbox

_MARK = "minimax_sandbox"


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, for `--strict-markers`."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(**options): options of the sandbox that the fixture {_MARK} starts, such as faults",
    )


@pytest.fixture
def minimax_sandbox(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator["Sandbox"]:
    """The MiniMax video API for one test, offline, with the settings of minimax-tasks pointed at it.

    It draws small and at once. The mark of the same name takes the options of
    `minimax_tasks.sandbox.Sandbox`, such as `latency` (seconds) and `faults`. The root is in the test's
    `tmp_path`. Raises `ConfigurationError` for options that make no sense.
    """
    from minimax_tasks.sandbox import Sandbox

    mark = request.node.get_closest_marker(_MARK)
    options: dict[str, Any] = {"latency": 0.0, "scale": "90P"} | (
        dict(mark.kwargs) if mark is not None else {}
    )
    with Sandbox(**options) as sandbox:
        monkeypatch.setenv("MINIMAX_BASE_URL", sandbox.url)
        monkeypatch.setenv("MINIMAX_API_KEY", str(options.get("key") or "sandbox"))
        monkeypatch.setenv("MINIMAX_ROOT", str(tmp_path / "minimax-output"))
        monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "0")
        monkeypatch.setenv("MINIMAX_POLL_INTERVAL", "0.05")
        yield sandbox
