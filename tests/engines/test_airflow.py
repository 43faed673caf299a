"""Airflow as its users run it: API server, scheduler, triggerer and the files of the page."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from minimax_tasks.sandbox import Sandbox
from tests.engines.conftest import HeldService
from tests.engines.pages import commands, write_files
from tests.engines.running import Engine, children, environment_of, free_port, kill_all, missing, running

pytestmark = pytest.mark.skipif(environment_of("airflow") is None, reason=missing("airflow"))

CLIPS = 20

KILLED = f"""
from datetime import timedelta
from airflow.sdk import DAG
from minimax_tasks.engines.airflow.operators import MiniMaxClipsOperator

AGAIN = {{"retries": 9, "retry_delay": timedelta(seconds=2)}}
with DAG("deferred", schedule=None, default_args=AGAIN):
    MiniMaxClipsOperator(task_id="clips", requests=[{{"prompt": f"A pier, number {{n}}"}} for n in range({CLIPS})])
with DAG("held", schedule=None, default_args=AGAIN):
    MiniMaxClipsOperator(
        task_id="clips", requests=[{{"prompt": f"A boat, number {{n}}"}} for n in range({CLIPS})], deferrable=False
    )
"""

REFUSED = """
from airflow.sdk import DAG
from minimax_tasks.engines.airflow.operators import MiniMaxClipOperator, MiniMaxClipsOperator

with DAG("refused", schedule=None, default_args={"retries": 3}):
    MiniMaxClipsOperator(task_id="blood", requests=[{"prompt": "a pier"}, {"prompt": "blood"}, {"prompt": "a boat"}])
    MiniMaxClipOperator(task_id="seven", request={"prompt": "a pier", "duration": 7})
    MiniMaxClipOperator(task_id="relative", request={"prompt": "a pier"}, root="videos")
"""


MISSED_SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
}
"""Airflow gives a process that is killed minutes otherwise. One that is only slow is tried again, which pays nothing."""


class Airflow(Engine):
    """An Airflow with its processes."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            "airflow",
            folder,
            AIRFLOW_HOME=str(folder),
            AIRFLOW__CORE__DAGS_FOLDER=str(folder / "dags"),
            AIRFLOW__CORE__LOAD_EXAMPLES="false",
            AIRFLOW__CORE__PARALLELISM="4",
            AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="false",
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="true",
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"{self.url}/execution/",
            AIRFLOW__CORE__FERNET_KEY=base64.urlsafe_b64encode(os.urandom(32)).decode(),
            AIRFLOW__API__PORT=str(port),
            AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT=str(free_port()),
            AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(free_port()),
            AIRFLOW__API__BASE_URL=self.url,
            AIRFLOW__API__WORKERS="1",
            AIRFLOW__API__SECRET_KEY="a secret of these tests",
            AIRFLOW__API_AUTH__JWT_SECRET="another secret of these tests, and a long one",
            AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL="5",
            AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT="60",
        )
        self.token = ""

    def begin(self) -> None:
        """Start all processes; returns when the API answers."""
        self.run("airflow", "db", "migrate")
        (add,) = commands("airflow", beginning="airflow connections")
        self.run("sh", "-ec", add)
        for name in ("api-server", "dag-processor", "scheduler"):
            self.start("airflow", name, log=f"{name}.log")
        self.start_triggerer()
        self.until(self._answers, "the API")

    def start_triggerer(self) -> None:
        """Start a triggerer, as whatever watches over it does."""
        self.triggerer = self.start("airflow", "triggerer", log="triggerer.log")

    def trigger(self, dag: str) -> None:
        """Start a run of a DAG, once it is there."""
        self.until(lambda: self.ask("GET", f"dags/{dag}").status_code == 200, f"the DAG {dag}", pause=1)
        body = {"dag_run_id": "now", "logical_date": "2026-11-20T00:00:00Z"}
        self.ask("POST", f"dags/{dag}/dagRuns", json=body).raise_for_status()

    def state(self, dag: str) -> str:
        """The state of the run."""
        return str(self.ask("GET", f"dags/{dag}/dagRuns/now").json()["state"])

    def ended(self, dag: str) -> str:
        """The state of the run, once it has ended; "" before."""
        return state if (state := self.state(dag)) in ("success", "failed") else ""

    def tasks(self, dag: str) -> dict[str, dict[str, Any]]:
        """The task instances of the run by their names."""
        found = self.ask("GET", f"dags/{dag}/dagRuns/now/taskInstances").json()["task_instances"]
        return {f"{one['task_id']}{one['rendered_map_index'] or ''}": one for one in found}

    def xcom(self, dag: str, task: str, key: str = "return_value") -> Any:
        """What a task gave to others."""
        path = f"dags/{dag}/dagRuns/now/taskInstances/{task}/xcomEntries/{key}"
        return (
            self.ask("GET", path, params={"deserialize": True, "map_index": -1})
            .raise_for_status()
            .json()["value"]
        )

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the public API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(
            method,
            f"{self.url}/api/v2/{path}",
            headers=headers,
            trust_env=False,
            verify=False,
            timeout=60,
            **more,
        )

    def _answers(self) -> bool:
        try:
            self.token = httpx.get(
                f"{self.url}/auth/token", trust_env=False, verify=False, timeout=60
            ).json()["access_token"]
        except (httpx.HTTPError, ValueError, KeyError):
            return False
        return True


@pytest.fixture
def airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    """A folder with the page's files, and an absolute root."""
    folder = tmp_path / "airflow"
    folder.mkdir()
    monkeypatch.setenv("MINIMAX_ROOT", str(tmp_path / "root"))
    with running(Airflow(folder, free_port())) as engine:
        yield engine


def test_what_is_killed_is_run_again_and_pays_each_clip_once(held: HeldService, airflow: Airflow) -> None:
    airflow.environment.update(MISSED_SOON)
    (airflow.folder / "dags").mkdir()
    (airflow.folder / "dags/killed.py").write_text(KILLED)
    airflow.begin()
    scheduler = next(each for each in airflow.running if "scheduler" in each.args)
    airflow.trigger("deferred")
    airflow.trigger("held")
    airflow.until(lambda: held.submitted == 2 * CLIPS, "40 clips under way")
    airflow.until(lambda: airflow.tasks("deferred")["clips"]["state"] == "deferred", "the trigger")
    airflow.kill(airflow.triggerer)
    workers = children(scheduler.pid, saying="LocalExecutor")
    # One that waits for work holds the lock of the queue, and Airflow would never run anything again.
    workers = [worker for worker in workers if "<idle>" not in " ".join(worker.cmdline())]
    assert workers
    kill_all([*workers, *(task for worker in workers for task in worker.children(recursive=True))])
    assert held.made == 0
    held.let_go()
    airflow.start_triggerer()
    assert airflow.until(lambda: airflow.ended("deferred"), "the deferred task", pause=1) == "success"
    assert airflow.until(lambda: airflow.ended("held"), "the second try", pause=1) == "success"
    assert airflow.tasks("held")["clips"]["try_number"] >= 2
    assert len(airflow.xcom("deferred", "clips")) == CLIPS
    held.check(2 * CLIPS)


def test_the_files_of_the_page_do_what_it_says(sandbox: Sandbox, airflow: Airflow, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "task", "prompt": "blood", "fail": 1027}])
    write_files("airflow", airflow.folder)
    harbour = (
        airflow.folder / "dags/harbour.py"
    )  # whether today's run comes in between would depend on the clock
    harbour.write_text(harbour.read_text().replace('schedule="@daily"', "schedule=None"))
    (airflow.folder / "dags/refused.py").write_text(REFUSED)
    airflow.begin()
    for dag in ("piers", "harbour", "refused"):
        airflow.trigger(dag)
    assert airflow.until(lambda: airflow.ended("piers"), "the ten lines", pause=1) == "success"
    assert airflow.until(lambda: airflow.ended("harbour"), "the other DAG", pause=1) == "success"
    assert airflow.until(lambda: airflow.ended("refused"), "the refusals", pause=1) == "failed"

    assert set(airflow.tasks("piers")) == {
        f"clipA pier at {hour} [Push in]" for hour in ("noon", "dusk", "night")
    }
    path = airflow.xcom("harbour", "clip")
    assert Path(path).is_relative_to(tmp_path / "root")
    assert Path(path).is_file()
    assert [clip["usd"] for clip in airflow.xcom("harbour", "boats", "clips")] == [0.28, 0.28]
    assert airflow.xcom("harbour", "report") == f"{path} and 2 more"
    prompts = sorted(entry["request"]["prompt"] for entry in sandbox.ledger())
    assert "A harbour on 2026-11-20" in prompts
    assert len(prompts) == 3 + 3 + 3

    refused = airflow.tasks("refused")
    assert {task["try_number"] for task in refused.values()} == {1}
    said = {task: _log(airflow, "refused", task) for task in refused}
    assert "1027" in said["blood"]
    assert "duration = 7" in said["seven"]
    assert "give the whole path" in said["relative"]
    assert len(list((tmp_path / "root").glob("clips/*/video.mp4"))) == len(prompts) - 1

    logs = [path.read_bytes() for path in airflow.folder.rglob("*") if path.is_file()]
    assert logs
    assert not any(b"test-key" in log for log in logs)
    airflow.run("python", "-c", ALONE)


ON_KILL = """
import os, signal, threading, time
from pathlib import Path
from airflow.sdk.exceptions import AirflowException
from minimax_tasks.engines.airflow.operators import MiniMaxClipOperator

operator = MiniMaxClipOperator(task_id="clip", request={"prompt": "a pier"}, deferrable=False)
signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())

def kill():
    while not list(Path(os.environ["MINIMAX_ROOT"]).glob("clips/*/submission.json")):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=kill).start()
try:
    operator.execute({})
except AirflowException as error:
    print("told:", error)
"""


def test_a_task_that_is_killed_says_what_is_paid_and_leaves_no_doubt(
    held: HeldService, airflow: Airflow
) -> None:
    airflow.environment["AIRFLOW_CONN_MINIMAX_DEFAULT"] = '{"conn_type": "minimax", "password": "any-key"}'
    told = airflow.run("python", "-c", ON_KILL)
    assert "told: it was told to stop; clips that are submitted are paid for" in told
    assert held.submitted == 1
    assert not list(held.root.glob("clips/*/doubt*"))


ALONE = """
import sys
import minimax_tasks.engines.airflow.operators, minimax_tasks.engines.airflow.triggers
from minimax_tasks.engines.airflow.provider import get_provider_info
assert "luigi" not in sys.modules
assert get_provider_info()["connection-types"][0]["connection-type"] == "minimax"
"""


def _log(airflow: Airflow, dag: str, task: str) -> str:
    """What a task said in its first try."""
    path = f"dags/{dag}/dagRuns/now/taskInstances/{task}/logs/1"
    return json.dumps(airflow.ask("GET", path, params={"map_index": -1}).json())
