"""Whatever is sent, the sandbox answers, and as the description that it publishes says."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.conftest import KEY, Serve

pytestmark = pytest.mark.slow

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
"""None of those on what has to be refused: the first generation answers bad input and a bad key with HTTP 200."""

WORLDS = {
    "first generation and own pages": ["--exclude-path-regex", "^/v2/|^/sandbox/faults$"],
    # It answers with 500 to what is no task id. An error of the sandbox itself would not have the form of the others.
    "second generation": ["--include-path-regex", "^/v2/", "--exclude-checks", "not_a_server_error"],
    # What one request adds would strike the next, so faults have a sandbox of their own.
    "faults": ["--include-path", "/sandbox/faults"],
}

SILENT = {"at": "callback", "times": 0}
"""A made-up `callback_url` must not be called."""


@pytest.mark.skipif(
    importlib.util.find_spec("schemathesis") is None, reason="the dev extra brings schemathesis"
)
@pytest.mark.parametrize("which", WORLDS)
def test_every_answer_is_as_published(serve: Serve, tmp_path: Path, which: str) -> None:
    url = serve(idle=True, faults=[SILENT]).sandbox.url
    words = [
        *["run", f"{url}/openapi.json", *WORLDS[which], "--header", f"Authorization: Bearer {KEY}"],
        *["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "50"],
        *["--generation-deterministic", "--no-color"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
