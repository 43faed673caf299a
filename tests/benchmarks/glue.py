"""The Luigi tasks that people write today, without their bugs: blocking stages, one process each."""

import json
import os
import time

import httpx
import luigi


class _Stage(luigi.Task):
    number = luigi.IntParameter()
    url = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"glue/{type(self).__name__}-{self.number}")

    def get(self, path: str, **params: str) -> dict[str, object]:
        return dict(httpx.get(self.url + path, params=params, timeout=60, trust_env=False).json())


class Ask(_Stage):
    """POST."""

    def run(self) -> None:
        body = {"model": "MiniMax-Hailuo-2.3", "prompt": f"wave {self.number}"}
        answer = httpx.post(f"{self.url}/v1/video_generation", json=body, timeout=60, trust_env=False).json()
        with self.output().open("w") as out:
            out.write(answer["task_id"])


class Wait(_Stage):
    """`while True: sleep`."""

    def requires(self) -> Ask:
        return Ask(number=self.number, url=self.url)

    def run(self) -> None:
        task_id = self.input().open().read()
        while True:
            time.sleep(float(os.environ["MINIMAX_POLL_INTERVAL"]))
            answer = self.get("/v1/query/video_generation", task_id=task_id)
            if answer["status"] == "Success":
                break
        with self.output().open("w") as out:
            json.dump(answer, out)


class Fetch(_Stage):
    """GET."""

    def requires(self) -> Wait:
        return Wait(number=self.number, url=self.url)

    def run(self) -> None:
        file_id = json.load(self.input().open())["file_id"]
        file = self.get("/v1/files/retrieve", file_id=file_id)["file"]
        clip = httpx.get(file["download_url"], timeout=60, trust_env=False)  # type: ignore[index]
        with luigi.LocalTarget(self.output().path, format=luigi.format.Nop).open("w") as out:
            out.write(clip.content)
