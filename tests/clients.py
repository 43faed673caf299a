"""Video clients that others published, in an environment of their own, and the sandbox as they reach it."""

import asyncio
import contextlib
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
_HOME = REPOSITORY / ".venv-clients"


def find_python() -> str | None:
    """The Python that has the clients that `make test` installs."""
    return shutil.which("python", path=str(_HOME / "bin")) if (_HOME / ".ready").exists() else None


def find_mmx() -> str | None:
    """The service's own command for terminals, which `make test` installs where there is npm."""
    return shutil.which("mmx", path=str(_HOME / "node_modules/.bin"))


def run(words: list[str], folder: Path, **environment: str) -> str:
    """Run a client in a folder that is also its home, with no other setting; what it says on stdout."""
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        words,
        cwd=folder,
        env={**inherited, "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def https_front(url: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """The same server over TLS; yields its URL, and the certificate to trust."""
    python = find_python()
    assert python is not None
    subprocess.run([python, "-m", "trustme", "-q", "-d", str(folder), "-i", "127.0.0.1"], check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    host, _, port = url.removeprefix("http://").partition(":")

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", folder / "client.pem"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (OSError, ssl.SSLError):
        pass  # a client that leaves in the middle
    finally:
        writer.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    relays = asyncio.all_tasks() - {asyncio.current_task()}
    for each in relays:
        each.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
