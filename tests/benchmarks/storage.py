"""What a clip of a dataset costs on S3: requests by kind, over the real protocol, and CPU over that on a local disk.

python -m tests.benchmarks.storage [ROWS]
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.benchmarks.kept import new_folder
from tests.benchmarks.runs import draws_small
from tests.s3 import BUCKET, s3_server

LATENCY, POLL = 2.0, 1.0
"""Seconds that a clip takes, and between two polls."""


def requests_of_dataset(rows: int) -> tuple[Counter[str], Counter[str], float]:
    """Requests by kind of a dataset's first run and of its next, and the CPU of the first over a local run's.

    The server keeps connections, as S3 does; a server that closes each makes the client pay for a new one each time.
    """
    with s3_server(keeps_connections=True) as environment:
        stored = _run(rows, f"s3://{BUCKET}/rows-{rows}", environment)
        local = _run(rows, "out", {})
        return Counter(stored["first"]), Counter(stored["again"]), stored["cpu"] / local["cpu"]


def uploads_of_videos(kinds: Counter[str]) -> int:
    """How many times the bytes of videos were sent."""
    return sum(count for kind, count in kinds.items() if kind.startswith("PUT ") and "video.mp4" in kind)


def _run(rows: int, root: str, environment: dict[str, str]) -> dict[str, Any]:
    from tests.benchmarks.__main__ import stub

    folder = new_folder()
    with stub(folder, LATENCY, 0.0) as url:
        settings = {"POLL_INTERVAL": POLL, "REQUESTS_PER_MINUTE": 0, "API_KEY": "k", "BASE_URL": url}
        given = {f"MINIMAX_{name}": str(value) for name, value in settings.items()}
        told = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.storage", "run", str(rows), root],
            env=os.environ | environment | given | {"TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
        return found


def _dataset(rows: int, root: str) -> dict[str, Any]:
    """Make a dataset and run it again; what each asked of S3, and the CPU seconds of the first."""
    import minimax_tasks as mm

    calls: Counter[str] = Counter()
    if "://" in root:
        import s3fs  # noqa: F401  # loading it is part of the start, and not of a clip
        from aiobotocore.httpsession import AIOHTTPSession

        send = AIOHTTPSession.send

        async def counted(self: Any, request: Any) -> Any:
            calls[_kind(request.method, request.url, request.headers)] += 1
            return await send(self, request)

        AIOHTTPSession.send = counted
    os.chdir(tempfile.mkdtemp())
    Path("waves.jsonl").write_text("".join(f'{{"prompt": "wave {n}"}}\n' for n in range(rows)))
    used = _cpu()
    draws_small(root)
    outcomes = []
    for _ in range(2):
        if not mm.build([mm.VideoDataset(table="waves.jsonl", root=root)]):
            raise RuntimeError("the dataset was not made")
        outcomes.append((dict(calls), _cpu() - used))
        calls.clear()
    return {"first": outcomes[0][0], "again": outcomes[1][0], "cpu": outcomes[0][1]}


def _cpu() -> float:
    """CPU seconds of this process and of those that it started: one may work at the disk for it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _kind(method: str, url: str, headers: Mapping[str, str]) -> str:
    """A request without what tells one clip from another."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    if "prefix" in asked:
        return f"LIST {_pattern(asked['prefix'][0])}"
    copies = any(name.lower() == "x-amz-copy-source" for name in headers)
    return f"{'COPY' if copies else method} {_pattern(unquote(parts.path).removeprefix(f'/{BUCKET}/'))}"


def _pattern(place: str) -> str:
    """A place without what tells one clip from another."""
    short = re.sub(r"[0-9a-f]{16,}", "<key>", place)
    return re.sub(
        r"\d{2,}(/\d{6}-[0-9a-f]+)?(?![a-z])", "<number>", re.sub(r"/\d\d/\d{6}-\w+", "/<row>", short)
    )


def main() -> None:
    """Print a table, or be the run that is measured."""
    if sys.argv[1:2] == ["run"]:
        print(json.dumps(_dataset(int(sys.argv[2]), sys.argv[3])))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    first, again, ratio = requests_of_dataset(rows)
    for kind, count in first.most_common():
        print(f"{count / rows:8.3f}  {kind}")
    for kind, count in again.most_common():
        print(f"{count:8}  again: {kind}")
    print(
        f"{sum(first.values()) / rows:8.3f}  requests a clip; CPU {ratio:.2f} x local; {sum(again.values())} again"
    )


if __name__ == "__main__":
    main()
