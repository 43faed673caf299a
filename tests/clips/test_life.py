"""The life of a clip without Luigi: exactly one submit, whatever happens around it."""

import asyncio
import json
import statistics
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from minimax_tasks import (
    ClipRequest,
    DownloadFailed,
    GenerationFailed,
    GenerationTimeout,
    ImageToVideoRequest,
    InputRejected,
    NotConnected,
    PictureError,
    SubmitRefused,
    TemplateRequest,
    TextToVideoRequest,
    UncertainSubmit,
)
from minimax_tasks.clips.download import download
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.pictures import known_clip
from minimax_tasks.clips.poll import poll
from minimax_tasks.clips.poll_start import FirstPollEstimate, part_of_wait
from minimax_tasks.clips.service import Service
from minimax_tasks.clips.submit import submit
from minimax_tasks.clips.timing import USUAL, Timing
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.settings import Settings
from minimax_tasks.storage.files import Storage
from minimax_tasks.video.probe import probe
from tests.conftest import Picture

TEXT = ClipRequest(TextToVideoRequest(prompt="A lighthouse [Push in]"))


def service_settings(url: str, **given: Any) -> Settings:
    """A sandbox's, not paced."""
    plain = {"api_key": "test-key", "base_url": url, "requests_per_minute": 0, "poll_interval": 0.05}
    return Settings.model_validate(plain).model_copy(update=given)


def with_service(
    url: str, work: Callable[[Service], Awaitable[Any]], *, timing: Timing = USUAL, **patience: float
) -> Any:
    async def run() -> Any:
        async with Service(service_settings(url, **patience), timing=timing) as service:
            return await work(service)

    return asyncio.run(run())


def folder_of(clip: ClipRequest, root: Path, timing: Timing = USUAL) -> ClipFolder:
    return ClipFolder(Storage(str(root)), clip.key, timing)


def make(url: str, clip: ClipRequest, root: Path, timing: Timing = USUAL) -> ClipFolder:
    folder = folder_of(clip, root, timing)

    async def work(service: Service) -> None:
        await submit(clip, folder, service)
        await poll(folder, service)
        await download(folder, service)

    with_service(url, work, timing=timing)
    return folder


def names(folder: ClipFolder) -> set[str]:
    return set(folder.root.names(f"clips/{folder.key}"))


def test_a_clip_is_made_and_its_files_tell_the_story(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = make(sandbox.url, TEXT, tmp_path)
    assert names(folder) == {
        "request.json", "claim.1.json", "submission.json", "result.json", "warnings.json", "video.mp4",
    }  # fmt: skip
    files = tmp_path / "clips" / folder.key
    assert json.loads((files / "request.json").read_text())["prompt"] == "A lighthouse [Push in]"
    (entry,) = sandbox.ledger()
    assert json.loads((files / "submission.json").read_text())["task_id"] == entry["task_id"]
    result = json.loads((files / "result.json").read_text())
    assert result["status"] == "Success"
    assert isinstance(result["file_id"], str)
    assert probe(files / "video.mp4", "decode").frames == 144


def test_doing_it_again_submits_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    make(sandbox.url, TEXT, tmp_path)
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1


def test_another_take_is_another_clip(sandbox: Sandbox, tmp_path: Path) -> None:
    one = make(sandbox.url, TEXT, tmp_path)
    two = make(sandbox.url, ClipRequest(TEXT.request, take=2), tmp_path)
    assert one.key != two.key
    videos = {(tmp_path / "clips" / folder.key / "video.mp4").read_bytes() for folder in (one, two)}
    assert len(videos) == 2


def test_many_who_start_the_same_clip_at_once_submit_it_once(sandbox: Sandbox, tmp_path: Path) -> None:
    async def work(service: Service) -> list[dict[str, Any]]:
        return await asyncio.gather(*(submit(TEXT, folder_of(TEXT, tmp_path), service) for _ in range(20)))

    found = with_service(sandbox.url, work)
    assert len(sandbox.ledger()) == 1
    assert {submission["task_id"] for submission in found} == {sandbox.ledger()[0]["task_id"]}


def test_what_clips_take_is_learnt_and_nobody_asks_long_before(tmp_path: Path) -> None:
    clips = [ClipRequest(TEXT.request, take=take) for take in range(1, 8)]

    async def work(service: Service) -> list[int]:
        asked: list[int] = []
        query = service.client.query

        async def counted(*arguments: Any) -> Any:
            asked[-1] += 1
            return await query(*arguments)

        service.client.query = counted  # type: ignore[method-assign]
        for clip in clips:
            asked.append(0)
            await submit(clip, folder_of(clip, tmp_path), service)
            await poll(folder_of(clip, tmp_path), service)
        return asked

    with Sandbox(latency=1.0, scale="90P") as slow:
        asked = with_service(slow.url, work, poll_interval=0.1)
    assert max(asked[5:]) < min(asked[:5]), "how many exactly says how busy the machine is"


def test_what_is_learnt_while_a_clip_is_waited_for_is_heeded(tmp_path: Path) -> None:
    async def work(service: Service) -> int:
        asked = 0
        query = service.client.query

        async def counted(*arguments: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked == 3:
                for _ in range(5):
                    service.first_poll.took(3.0, "MiniMax-Hailuo-2.3 768P 6 s", found=3.0)
            return await query(*arguments)

        service.client.query = counted  # type: ignore[method-assign]
        await submit(TEXT, folder_of(TEXT, tmp_path), service)
        await poll(folder_of(TEXT, tmp_path), service)
        return asked

    with Sandbox(latency=3.0, scale="90P") as slow:
        asked = with_service(slow.url, work, poll_interval=0.02)
    assert asked < 50, "three, and those from 2.7 s on; else one in 0.02 s"


def test_where_all_take_as_long_the_first_look_is_the_one_that_finds_it() -> None:
    estimate = FirstPollEstimate()
    for number in range(5):
        estimate.took(60.0, found=64.0 + number)
    assert estimate.seconds_to_wait(10.0) == 64.0
    assert estimate.seconds_to_wait(10.0, part=0.95) == 60.8, (
        "one of some that find out that they have become faster"
    )
    assert estimate.seconds_to_wait(75.0) == 75.0
    assert estimate.seconds_to_wait(3.0) == 60.0, "they do not take as long, to whom looks each three seconds"


def test_a_clip_that_is_faster_than_was_learnt_is_found_soon() -> None:
    estimate = FirstPollEstimate()
    for _ in range(5):
        estimate.took(60.0, found=64.0)
    estimate.took(30.0, found=75.0)
    assert estimate.seconds_to_wait(10.0) == 30.0, "it may have been ready since then"


def in_waves(lasting: list[float], size: int) -> list[float]:
    """As they end, where so many are submitted together."""
    return [one for number in range(0, len(lasting), size) for one in sorted(lasting[number : number + size])]


def looks_and_delays(lasting: list[float], interval: float) -> tuple[float, float, float]:
    """Looks for each of clips that end in this order, and how long after they were ready they are found: median, most."""
    estimate, looks, delays = FirstPollEstimate(), 0, []
    for seconds in lasting:
        looked = estimate.seconds_to_wait(interval, part=part_of_wait())
        running = max(0.0, looked - interval)
        looks += 1
        while looked < seconds:
            running = looked
            first = estimate.seconds_to_wait(interval)
            if looked < first:
                running, looked = max(running, first - interval), first
            else:
                looked += estimate.seconds_to_next(interval, looked)
            looks += 1
        estimate.took(running, found=looked)
        delays.append(looked - seconds)
    return looks / len(lasting), statistics.median(delays), max(delays[200:])


@pytest.mark.parametrize("interval", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("together", [1, 500])
@pytest.mark.parametrize(("least", "most"), [(60.0, 60.0), (60.0, 61.0), (48.0, 72.0), (20.0, 200.0)])
def test_what_is_learnt_saves_looks_and_no_clip_is_found_later_for_it(
    least: float, most: float, together: int, interval: float
) -> None:
    lasting = [least + (most - least) * (number * 0.618034 % 1) for number in range(3000)]
    looks, usual, longest = looks_and_delays(in_waves(lasting, together), interval)
    plainly = statistics.mean(lasting) / interval
    assert looks < (1.3 if least == most else 3.0 if most - least < 2 else 1.2 * plainly)
    assert usual <= 0.6 * interval
    assert longest <= 1.1 * interval or most > 100, (
        "of those which take so different times some are quick for once"
    )


def test_while_others_of_the_kind_run_longer_a_clip_is_left_alone() -> None:
    estimate, kind = FirstPollEstimate(), "MiniMax-Hailuo-02 768P 6 s"
    for number in range(9):
        estimate.runs(12.0 + number, kind)
    assert estimate.seconds_to_wait(2.0, kind) == 2.0, "nine say nothing"
    estimate.runs(30.0, kind, before=20.0)
    assert estimate.seconds_to_wait(2.0, kind) == 2.0, "it is one of the nine"
    estimate.runs(25.0, kind)
    assert estimate.seconds_to_wait(2.0, kind) == 13.0, "at most an interval after the first may be ready"
    assert estimate.seconds_to_wait(2.0, "MiniMax-H3 2K 15 s") == 2.0
    for number in range(10):
        estimate.runs(100.0 + number, kind)
    assert estimate.seconds_to_wait(2.0, kind) == 30.0, "it may be a quick one among slow ones"
    assert estimate.seconds_to_wait(2.0, kind, polled=30.0) == 60.0
    estimate.took(50.0, kind, found=52.0)
    assert estimate.seconds_to_wait(2.0, kind, polled=30.0) == 50.0, (
        "one was found ready: who is older may be"
    )


def test_scouts_that_were_found_ready_are_none_any_more() -> None:
    estimate = FirstPollEstimate()
    for number in range(10):
        estimate.runs(10.0 + number)
    estimate.took(10.0, found=12.0)
    assert estimate.seconds_to_wait(2.0) == 2.0


def test_many_that_were_submitted_together_are_polled_by_few(tmp_path: Path) -> None:
    clips = [ClipRequest(TEXT.request, take=take) for take in range(1, 61)]
    asked: Counter[str] = Counter()

    async def work(service: Service) -> None:
        query = service.client.query

        async def counted(task_id: str, *arguments: Any) -> Any:
            asked[task_id] += 1
            return await query(task_id, *arguments)

        service.client.query = counted  # type: ignore[method-assign]

        async def one(clip: ClipRequest) -> None:
            await submit(clip, folder_of(clip, tmp_path), service)
            await poll(folder_of(clip, tmp_path), service)

        await asyncio.gather(*map(one, clips))

    with Sandbox(latency=6.0, scale="90P") as slow:
        with_service(slow.url, work, poll_interval=0.3, requests_per_minute=0)
    assert len(asked) == 60
    assert sorted(asked.values())[30] <= 6, "ten look for all; a look each 0.3 s is twenty for each"


def test_a_poll_comes_when_others_of_the_kind_were_found_ready_and_never_later_than_it_would() -> None:
    estimate, kind = FirstPollEstimate(), "MiniMax-Hailuo-02 768P 6 s"
    for at_least in (32.0, 30.5, 31.0, 35.0):
        estimate.took(at_least, kind, found=at_least + 2)
    assert estimate.seconds_to_next(10.0, 27.0, kind) == 10.0, "four say nothing"
    estimate.took(34.0, kind, found=36.0)
    assert estimate.seconds_to_next(10.0, 27.0, kind) == 6.0, "half of them were ready by then"
    assert estimate.seconds_to_next(10.0, 20.0, kind) == 10.0
    assert estimate.seconds_to_next(10.0, 34.5, kind) == 2.0, "a fifth at least"
    assert estimate.seconds_to_next(10.0, 40.0, kind) == 4.0, (
        "all were ready four seconds ago: it must be, soon"
    )
    assert estimate.seconds_to_next(10.0, 60.0, kind) == 10.0
    assert estimate.seconds_to_next(10.0, 27.0, "MiniMax-H3 2K 15 s") == 10.0


def test_slow_clips_of_another_kind_say_nothing_about_a_fast_one() -> None:
    estimate = FirstPollEstimate()
    for _ in range(40):
        estimate.took(300.0, "MiniMax-H3 2K 15 s", found=300.0)
    assert estimate.seconds_to_wait(10.0, "MiniMax-Hailuo-02 768P 6 s") == 10.0
    assert estimate.seconds_to_wait(10.0, "MiniMax-H3 2K 15 s") == 300.0


def test_a_submission_says_of_what_kind_its_clip_is(sandbox: Sandbox, tmp_path: Path) -> None:
    submission = asyncio.run(_submission_of(sandbox.url, tmp_path))
    assert submission["kind"] == "MiniMax-Hailuo-2.3 768P 6 s"


async def _submission_of(url: str, root: Path) -> dict[str, Any]:
    async with Service(Settings.load(base_url=url, api_key="any")) as service:
        return await submit(TEXT, folder_of(TEXT, root), service)


def test_waiting_and_fetching_need_the_clip_folder_alone(
    sandbox: Sandbox, tmp_path: Path, picture: Picture
) -> None:
    still = picture("pier.png")
    clip = known_clip(Storage(str(tmp_path)), ImageToVideoRequest(first_frame_image=str(still)), 1)
    folder = folder_of(clip, tmp_path)
    with_service(sandbox.url, lambda service: submit(clip, folder, service))
    still.unlink()

    async def finish(service: Service) -> None:
        await poll(folder, service)
        await download(folder, service)

    with_service(sandbox.url, finish)
    assert "video.mp4" in names(folder)
    assert known_clip(Storage(str(tmp_path)), clip.request, 1).key == clip.key


def test_a_picture_that_is_gone_and_was_never_submitted_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        known_clip(Storage(str(tmp_path)), ImageToVideoRequest(first_frame_image="none.png"), 1)


def test_a_bad_picture_is_refused_before_anything_is_claimed(
    sandbox: Sandbox, tmp_path: Path, picture: Picture
) -> None:
    still = picture("tiny.png", size=(200, 200))
    clip = known_clip(Storage(str(tmp_path)), ImageToVideoRequest(first_frame_image=str(still)), 1)
    with pytest.raises(PictureError, match="200 x 200"):
        make(sandbox.url, clip, tmp_path)
    assert names(folder_of(clip, tmp_path)) == set()
    assert sandbox.ledger() == []


def test_a_picture_that_changed_since_it_was_planned_is_refused(
    sandbox: Sandbox, tmp_path: Path, picture: Picture
) -> None:
    still = picture("pier.png")
    clip = known_clip(Storage(str(tmp_path)), ImageToVideoRequest(first_frame_image=str(still)), 1)
    picture("pier.png", "red")
    with pytest.raises(PictureError, match="has changed"):
        make(sandbox.url, clip, tmp_path)
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"lost": True},
        {"cut": 5},
        {"http": 500, "accepted": True},
        {"http": 502},
        {"code": 1000},
        {"code": 1001, "accepted": True},
        {"code": 1013},
        {"code": 1024},
        {"code": 1033},
        {"code": 4711},
    ],
    ids=str,
)
def test_a_submit_whose_outcome_is_not_known_is_never_repeated(
    sandbox: Sandbox, tmp_path: Path, fault: dict[str, Any]
) -> None:
    sandbox.add_faults([{"at": "submit", "most": 1, **fault}])
    with pytest.raises(UncertainSubmit, match="may have been paid"):
        make(sandbox.url, TEXT, tmp_path)
    before = len(sandbox.ledger())
    for _ in range(2):
        with pytest.raises(UncertainSubmit, match="not submitted again automatically"):
            make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == before
    assert "submission.json" not in names(folder_of(TEXT, tmp_path))


def test_a_claim_of_a_dead_worker_is_in_doubt(sandbox: Sandbox, tmp_path: Path) -> None:
    import subprocess

    gone = subprocess.Popen(["true"])
    gone.wait()
    folder = folder_of(TEXT, tmp_path)
    import socket

    claim = {"at": "2026-01-01T00:00:00+00:00", "machine": socket.gethostname(), "process": gone.pid}
    folder.root.create_json(f"clips/{folder.key}/claim.1.json", claim)
    with pytest.raises(UncertainSubmit, match="died"):
        make(sandbox.url, TEXT, tmp_path)
    assert sandbox.ledger() == []


def test_a_rate_limit_is_waited_out(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "submit", "code": 1002, "most": 2}])
    folder = make(sandbox.url, TEXT, tmp_path, Timing(rate_window=0.1))
    assert len(sandbox.ledger()) == 1
    assert {"released.1.json", "released.2.json", "claim.3.json", "video.mp4"} <= names(folder)


def test_nothing_is_created_when_no_connection_is_made(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(NotConnected):
        make("http://127.0.0.1:9", TEXT, tmp_path, Timing(connect_tries=2))
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1


def test_a_refused_input_is_final_and_is_not_sent_again(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "submit", "code": 1026, "message": "input new_sensitive", "most": 1}])
    with pytest.raises(InputRejected, match="input new_sensitive"):
        make(sandbox.url, TEXT, tmp_path)
    with pytest.raises(SubmitRefused, match="input new_sensitive"):
        make(sandbox.url, TEXT, tmp_path)
    assert sandbox.ledger() == []


def test_a_key_that_was_refused_may_be_mended(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults([{"at": "submit", "code": 2049, "most": 1}])
    with pytest.raises(Exception, match="MINIMAX_API_KEY"):
        make(sandbox.url, TEXT, tmp_path)
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1


def test_polls_that_fail_are_missed_polls(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_faults(
        [
            {"at": "query", "nth": 1, "lost": True},
            {"at": "query", "nth": 2, "http": 502},
            {"at": "query", "nth": 3, "code": 1002},
            {"at": "query", "nth": 4, "word": "Dreaming"},
        ]
    )
    assert "video.mp4" in names(make(sandbox.url, TEXT, tmp_path))
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize("code", [1026, 1027])
def test_a_failed_generation_is_recorded_and_final(sandbox: Sandbox, tmp_path: Path, code: int) -> None:
    sandbox.add_faults([{"at": "task", "fail": code}])
    for _ in range(2):
        with pytest.raises(GenerationFailed, match=str(code)):
            make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1


def test_a_clip_that_is_late_is_waited_for_by_the_next_run(sandbox: Sandbox, tmp_path: Path) -> None:
    # More polls than the first run has time for, fewer than the second one makes.
    sandbox.add_faults([{"at": "query", "word": "Processing", "nth": list(range(1, 9))}])
    folder = folder_of(TEXT, tmp_path)
    with_service(sandbox.url, lambda service: submit(TEXT, folder, service))
    with pytest.raises(GenerationTimeout, match="paid for and still known"):
        with_service(sandbox.url, lambda service: poll(folder, service), generation_timeout=0.1)
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"at": "download", "cut": 5000},
        {"at": "download", "expired": True},
        {"at": "download", "http": 503},
        {"at": "download", "lost": True},
        {"at": "retrieve", "empty_url": True},
        {"at": "retrieve", "code": 1002},
    ],
    ids=str,
)
def test_a_download_that_breaks_is_done_again(
    sandbox: Sandbox, tmp_path: Path, fault: dict[str, Any]
) -> None:
    sandbox.add_faults([{**fault, "most": 2}])
    folder = make(sandbox.url, TEXT, tmp_path, Timing(download_pause=0.05))
    assert probe(tmp_path / "clips" / folder.key / "video.mp4", "decode").ok
    assert len(sandbox.ledger()) == 1


def test_a_clip_that_cannot_be_fetched_leaves_nothing_that_looks_finished(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    timing = Timing(download_pause=0.01)
    sandbox.add_faults([{"at": "download", "cut": 5000, "most": timing.download_tries}])
    with pytest.raises(DownloadFailed, match="without paying again"):
        make(sandbox.url, TEXT, tmp_path, timing)
    assert "video.mp4" not in names(folder_of(TEXT, tmp_path))
    make(sandbox.url, TEXT, tmp_path)
    assert len(sandbox.ledger()) == 1


def test_the_bearer_token_never_goes_to_the_download_host(sandbox: Sandbox, tmp_path: Path) -> None:
    make(sandbox.url, TEXT, tmp_path)
    (entry,) = sandbox.ledger()
    assert entry["downloads"] == 1
    assert not entry.get("leaked_key")


def test_templates_go_their_own_way(sandbox: Sandbox, tmp_path: Path, picture: Picture) -> None:
    request = TemplateRequest(template="Survival", image=str(picture("cat.png")), text="Lion")
    clip = known_clip(Storage(str(tmp_path)), request, 1)
    folder = make(sandbox.url, clip, tmp_path)
    result = json.loads((tmp_path / "clips" / folder.key / "result.json").read_text())
    assert "Signature" not in json.dumps(result)
    assert (tmp_path / "clips" / folder.key / "video.mp4").exists()


def test_on_memory_as_well(sandbox: Sandbox) -> None:
    folder = ClipFolder(Storage("memory://life/root"), TEXT.key)

    async def work(service: Service) -> None:
        await submit(TEXT, folder, service)
        await poll(folder, service)
        await download(folder, service)

    with_service(sandbox.url, work)
    assert "video.mp4" in names(folder)
