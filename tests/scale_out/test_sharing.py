"""Two processes that are told of the same table make it together."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from minimax_tasks.sandbox import Sandbox

PROCESS = """
import sys
import luigi
import minimax_tasks as mm

dataset = mm.VideoDataset(table=sys.argv[1], root=sys.argv[2], shard_size=3)

class Training(luigi.Task):
    root = luigi.Parameter()

    def requires(self):
        return dataset

    def output(self):
        return luigi.LocalTarget(f"{self.root}.txt")

    def run(self):
        open(self.output().path, "w").write("trained")

wanted = {"alone": dataset, "waited for": Training(root=sys.argv[2])}[sys.argv[4]]
if __name__ == "__main__":
    sys.exit(not mm.build([wanted], scheduler_url=sys.argv[3]))
"""


@pytest.mark.parametrize("what", ["alone", "waited for"])
def test_each_of_two_processes_makes_its_part(
    sandbox: Sandbox, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Each has room for all of it, and the first one that asked took it all."""
    monkeypatch.setenv("MINIMAX_REQUESTS_PER_MINUTE", "0")
    monkeypatch.setenv("MINIMAX_MAX_IN_FLIGHT", "200")
    table, root = tmp_path / "waves.jsonl", tmp_path / what
    table.write_text("".join(json.dumps({"prompt": f"{what} {number}"}) + "\n" for number in range(60)))
    sandbox.add_faults([{"at": "submit", "delay": 1.0}])
    words = [sys.executable, "-c", PROCESS, str(table), str(root), scheduler, what]
    running = [subprocess.Popen(words, cwd=tmp_path) for _ in range(2)]
    assert [process.wait(240) for process in running] == [0, 0]
    claims = [json.loads(claim.read_text()) for claim in root.glob("clips/*/claim.1.json")]
    shares = Counter(claim["process"] for claim in claims)
    assert sum(shares.values()) == 60
    assert len(shares) == 2
    assert min(shares.values()) >= 15
    assert len(sandbox.ledger()) == 60, "nothing is paid twice"
