"""Azurite, Microsoft's own emulator of Azure storage, on loopback, and fsspec pointed at it."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec

REPOSITORY = Path(__file__).parent.parent
# The account that Azurite has out of the box, and that its documentation publishes.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def find_azurite() -> str | None:
    """The emulator that `make test` installs where there is npm."""
    return shutil.which("azurite-blob", path=str(REPOSITORY / ".venv-azure/node_modules/.bin"))


@contextlib.contextmanager
def azurite() -> Iterator[str]:
    """Run the emulator; yields the name of a container in it."""
    command = find_azurite()
    if command is None:
        raise RuntimeError("Azurite is not installed; `make test` installs it where there is npm")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        words = ["--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
        server = subprocess.Popen(
            [command, *words, "--location", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port)
            endpoint = f"http://127.0.0.1:{port}/{_ACCOUNT}"
            connection = f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};BlobEndpoint={endpoint};"
            fsspec.config.conf["az"] = {"connection_string": connection, "account_name": _ACCOUNT}
            try:
                container = f"minimax-{uuid.uuid4().hex[:8]}"
                fsspec.filesystem("az").mkdir(container)
                yield container
            finally:
                fsspec.config.conf.pop("az")
        finally:
            server.terminate()
            server.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError("Azurite does not answer")
