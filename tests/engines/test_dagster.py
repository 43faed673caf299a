"""Dagster as its users run it: `dagster dev`, a backfill, the files of the page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from minimax_tasks.sandbox import Sandbox
from tests.engines.conftest import HeldService
from tests.engines.pages import write_files
from tests.engines.running import (
    REPOSITORY,
    Engine,
    children,
    environment_of,
    free_port,
    kill_all,
    missing,
    running,
)

pytestmark = pytest.mark.skipif(environment_of("dagster") is None, reason=missing("dagster"))

CLIPS = 20


@pytest.fixture
def dagster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A folder with the page's files, an instance beside it, and an absolute root."""
    folder, home = tmp_path / "dagster", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    write_files("dagster", folder)
    (folder / "dagster.yaml").rename(home / "dagster.yaml")
    with (home / "dagster.yaml").open("a") as configuration:
        configuration.write("telemetry: {enabled: false}\n")
    (folder / "pipelines").symlink_to(REPOSITORY / "pipelines")
    monkeypatch.setenv("MINIMAX_ROOT", str(tmp_path / "root"))
    with running(Engine("dagster", folder, DAGSTER_HOME=str(home))) as engine:
        yield engine


BACKFILL = """
mutation {
  launchPartitionBackfill(backfillParams: {assetSelection: [{path: ["piers"]}], partitionNames: [%s]}) {
    __typename
    ... on PythonError { message }
  }
}
"""

RUNS = "{ runsOrError { ... on Runs { results { status tags { key value } } } } }"

MATERIALISED = '{ assetNodeOrError(assetKey: {path: ["piers"]}) { ... on AssetNode { partitionStats { numMaterialized } } } }'


def test_a_backfill_whose_run_is_killed_is_run_again_and_pays_each_clip_once(
    held: HeldService, dagster: Engine
) -> None:
    rows = [f"p{hour},A pier at {hour} o'clock" for hour in range(CLIPS)]
    (dagster.folder / "piers.csv").write_text("\n".join(["id,prompt", *rows]))
    port = free_port()
    dev = dagster.start("dagster", "dev", "-f", "definitions.py", "--port", str(port), log="dev.log")
    url = f"http://127.0.0.1:{port}"
    dagster.until(lambda: _answers(url), "the page")
    keys = ", ".join(f'"p{hour}"' for hour in range(CLIPS))
    assert "Success" in str(_ask(url, BACKFILL % keys))
    dagster.until(lambda: held.submitted == CLIPS, "20 clips under way")
    workers = children(dev.pid, saying="spawn_main")
    assert workers
    kill_all(workers)
    assert held.made == 0
    held.let_go()
    dagster.until(lambda: "SUCCESS" in _statuses(url), "the second try", pause=1)
    assert sorted(_statuses(url)) == ["FAILURE", "SUCCESS"]
    held.check(CLIPS)
    assert f"'numMaterialized': {CLIPS}" in str(_ask(url, MATERIALISED))


PAGE = """
import sys
import dagster as dg
from definitions import defs
from sizes import size
whole = dg.Definitions.merge(defs, dg.Definitions(assets=[size]))
instance = dg.DagsterInstance.get()
job = whole.get_implicit_global_asset_job_def()
unpartitioned = [key for key in job.asset_layer.executable_asset_keys if key != dg.AssetKey("piers")]
done = job.execute_in_process(instance=instance, asset_selection=unpartitioned)
assert done.success
done = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("piers")], partition_key="noon")
assert done.success
for key in (*unpartitioned, dg.AssetKey("piers")):
    told = instance.get_latest_materialization_event(key).asset_materialization.metadata
    print(key.to_user_string(), {name: str(entry.value)[:40] for name, entry in told.items()})
assert "luigi" not in sys.modules
"""


def test_the_files_of_the_page_do_what_it_says(sandbox: Sandbox, dagster: Engine, tmp_path: Path) -> None:
    told = [
        line
        for line in dagster.run("python", "-c", PAGE).splitlines()
        if ", 'dagster/uri'" in line or "bytes" in line
    ]
    shown = {line.partition(" {")[0]: line for line in told}
    assert set(shown) == {
        "lighthouse", "size", "piers", "morning/film",
        *(f"morning/shot_0{number}0" for number in (1, 2, 3, 4)),
    }  # fmt: skip
    for name, line in shown.items():
        if name != "size":
            assert "'preview': '![first frame](data:image/webp;base64," in line
            assert "'price in USD': '" in line
    assert "report.html" in shown["morning/film"] or "'report': '/" in shown["morning/film"]
    assert "'paid': '0.28'" in shown["size"]
    assert len(sandbox.ledger()) == 1 + 1 + 5
    kept = [path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"test-key" in each for each in kept)


MISTAKES = """
import dagster as dg
from minimax_tasks import InvalidRequest, TableError
from minimax_tasks.engines.dagster import ClipIOManager, MiniMaxResource, clip_asset, table_asset
for wrong in (
    lambda: clip_asset("pier", {"prompt": "a pier", "duration": 7}),
    lambda: table_asset("wrong.csv"),
    lambda: table_asset("twice.csv"),
):
    try:
        wrong()
    except (InvalidRequest, TableError) as error:
        print("told:", str(error).replace(chr(10), " / "))
for root in ("videos", "memory://videos"):
    minimax = MiniMaxResource(root=root)
    resources = {"minimax": minimax, "minimax_io_manager": ClipIOManager(minimax=minimax)}
    done = dg.materialize([clip_asset("pier", {"prompt": "a pier"})], resources=resources, raise_on_error=False)
    (failed,) = [event for event in done.all_events if event.is_step_failure]
    print("told:", failed.step_failure_data.user_failure_data.description)
"""


def test_mistakes_are_told_before_anything_is_paid(sandbox: Sandbox, dagster: Engine) -> None:
    (dagster.folder / "wrong.csv").write_text("prompt,duration\na pier,6\na boat,7\n")
    (dagster.folder / "twice.csv").write_text("id,prompt\n1,a pier\n1,a boat\n")
    told = dagster.run("python", "-c", MISTAKES)
    lines = [line for line in told.splitlines() if line.startswith("told:")]
    named = ["duration = 7", "duration = 7", "id = '1' is that of", "give the whole path", "cannot be shared"]
    assert all(name in line for name, line in zip(named, lines, strict=True)), told
    assert not sandbox.ledger()


FAILING = """
import dagster as dg
from definitions import minimax
from minimax_tasks.engines.dagster import ClipIOManager, table_asset
instance = dg.DagsterInstance.get()
asset = table_asset("boats.csv")
done = dg.materialize(
    [asset],
    instance=instance,
    resources={"minimax": minimax, "minimax_io_manager": ClipIOManager(minimax=minimax)},
    tags={"dagster/asset_partition_range_start": "one", "dagster/asset_partition_range_end": "three"},
    raise_on_error=False,
)
assert not done.success
print("tries:", len([event for event in done.all_events if event.event_type_value in ("STEP_START", "STEP_RESTARTED")]))
print("made:", sorted(instance.get_materialized_partitions(dg.AssetKey("boats"))))
"""


def test_a_row_that_nobody_can_make_is_not_tried_again_and_the_others_are_made(
    sandbox: Sandbox, dagster: Engine
) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "blood", "fail": 1027}])
    (dagster.folder / "boats.csv").write_text("id,prompt\none,a pier\ntwo,blood\nthree,a boat\n")
    told = dagster.run("python", "-c", FAILING)
    assert "tries: 1\n" in told
    assert "made: ['one', 'three']" in told
    assert len(sandbox.ledger()) == 3


def _statuses(url: str) -> list[str]:
    return [run["status"] for run in _ask(url, RUNS)["runsOrError"]["results"]]


def _ask(url: str, query: str) -> dict[str, Any]:
    answer = httpx.post(f"{url}/graphql", json={"query": query}, trust_env=False, verify=False, timeout=120)
    found = answer.raise_for_status().json()
    assert "errors" not in found, found
    return dict(found["data"])


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/server_info", trust_env=False, verify=False).is_success
    except httpx.HTTPError:
        return False
