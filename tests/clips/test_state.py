"""Where a clip submits, for every set of files that can lie in its folder, whether or not it can come about."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minimax_tasks.clips import layout, unfinished
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.ledger import Spending, payments
from minimax_tasks.clips.spellings import is_begun
from minimax_tasks.clips.state import (
    AttemptOutcome,
    ClipState,
    ClipStatus,
    Paid,
    Question,
    all_names,
    clip_state,
    clip_states,
    failed_task,
    look,
    look_async,
    paid_by_names,
    paid_numbers,
    submit_state,
)
from minimax_tasks.storage.drafts import draft_name
from minimax_tasks.storage.files import Storage

KEY = "0123456789abcdef" * 2
NUMBERS = (1, 2, 3)
TASK = "task-{}"
UNCHECKED = layout.unchecked_name("webm")

Files = Mapping[str, dict[str, Any]]


def submission(attempt: int | None) -> dict[str, Any]:
    """What a POST that was accepted left; one without its number is from another tool."""
    document = {
        "task_id": TASK.format(attempt or 0),
        "usd": 0.25,
        "submitted_at": "2026-01-02T00:00:00+00:00",
    }
    return document if attempt is None else document | {"attempt": attempt}


@st.composite
def folders(draw: st.DrawFn, numbers: tuple[int, ...] = NUMBERS) -> Files:
    """Any set of the files of a clip, with what they may say."""
    files: dict[str, dict[str, Any]] = {}
    some = st.sets(st.sampled_from(numbers))
    for number in draw(some):
        files[layout.claim_name(number)] = {"attempt": number, "at": f"2026-01-0{number}", "usd": number / 2}
    for number in draw(some):
        final = draw(st.booleans())
        files[layout.released_name(number)] = {"why": f"why {number}", "final": final, "code": 1026}
    for number in draw(some):
        files[layout.doubt_name(number)] = {"why": f"doubt {number}"}
    for number in draw(some):
        files[layout.submission_name(number)] = submission(number) | {"task_id": f"beside-{number}"}
    if draw(st.booleans()):
        named = submission(draw(st.sampled_from((None, *numbers))))
        files[layout.SUBMISSION] = draw(st.sampled_from((named, named, {})))  # {}: it cannot be read
    if draw(st.booleans()):
        number = draw(st.sampled_from(numbers))
        files[draft_name(layout.SUBMISSION)] = submission(number) | {"task_id": f"draft-{number}"}
    warnings = {"warnings": ["another size"]} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        task_id = TASK.format(draw(st.sampled_from((0, *numbers))))
        status = draw(st.sampled_from(("Success", "Fail")))
        code = 1027 if status == "Fail" else 0
        files[layout.RESULT] = {
            "task_id": task_id,
            "status": status,
            "base_resp": {"status_code": code},
        } | warnings
        if draw(st.booleans()):
            files[layout.RESULT]["unchecked"] = {"file": UNCHECKED, "why": "odd", "again": False}
    for name, document in ((UNCHECKED, {}), (layout.VIDEO, {}), (layout.WARNINGS, warnings)):
        if draw(st.booleans()):
            files[name] = document
    return files


def ask(files: Files, question: Question[Any], seen: Counter[str] | None = None) -> Any:
    """The answer to a question, without any storage."""
    try:
        name = next(question)
        while True:
            if seen is not None:
                seen[name] += 1
            name = question.send(files.get(name, {}))
    except StopIteration as end:
        return end.value


def state_of(files: Files) -> ClipState:
    state: ClipState = ask(files, clip_state(Storage("memory://nowhere"), KEY, files))
    return state


def write(root: Storage, files: Files) -> None:
    for name, document in files.items():
        root.write(layout.clip_file(KEY, name), json.dumps(document).encode(), durable=False)


def attempts(files: Files) -> set[int]:
    """The attempts of which a file is named."""
    kinds = (layout.claim_number, layout.released_number, layout.doubt_number, layout.submission_number)
    return {kind(name) for name in files for kind in kinds} - {0}


def unsettled(files: Files) -> set[int]:
    """The attempts that were not given up, or were accepted all the same."""
    return {
        number
        for number in attempts(files)
        if layout.released_name(number) not in files or layout.submission_name(number) in files
    }


def accepted(files: Files) -> int:
    """The attempt that the submission is of; 0 when that is not known."""
    found = files.get(layout.SUBMISSION, {})
    unsaid = max(attempts(files), default=1) if found and not unsettled(files) else 0
    return int(found.get("attempt", unsaid))


many = settings(max_examples=3 * settings.default.max_examples, deadline=None)


@many
@given(folders())
def test_a_video_that_is_there_is_made_whatever_else_is(files: Files) -> None:
    state = state_of(files)
    assert state.is_made == (layout.VIDEO in files)
    if state.is_made:
        assert state.warnings == tuple(files.get(layout.WARNINGS, {}).get("warnings", ()))
        assert state.reason == ""
    else:
        assert state.warnings == ()


@many
@given(folders())
def test_an_attempt_after_the_submission_is_open_until_it_is_void(files: Files) -> None:
    submits = ask(files, submit_state(files))
    unread = layout.SUBMISSION in files and not accepted(files)
    lost = max(attempts(files), default=1) if unread else 0
    assert submits.open_claim == max((n for n in unsettled(files) if n > accepted(files)), default=lost)
    assert submits.submitted == (layout.SUBMISSION in files and not submits.open_claim)
    assert submits.claims == max({*attempts(files), accepted(files), int(unread and not attempts(files))})
    state = state_of(files)
    if submits.open_claim and not state.is_made:
        assert state.status in (ClipStatus.IN_DOUBT, ClipStatus.GENERATING)
        assert (state.status is ClipStatus.GENERATING) == bool(state.task_id)
        assert state.attempt == submits.open_claim
    elif state.status is ClipStatus.IN_DOUBT:
        raise AssertionError("a clip in doubt has an attempt that a person can settle")


@many
@given(folders())
def test_a_submission_is_submitted_everywhere_with_or_without_its_claim(files: Files) -> None:
    lone = {layout.SUBMISSION: submission(None)} | {
        name: document
        for name, document in files.items()
        if name in (layout.REQUEST, layout.RESULT, layout.WARNINGS, UNCHECKED)
    }
    for found in (files, lone):
        submits, state = ask(found, submit_state(found)), state_of(found)
        if state.is_made or not submits.submitted:
            continue
        document, result = found[layout.SUBMISSION], found.get(layout.RESULT, {})
        assert (state.task_id, state.usd) == (document["task_id"], 0.25)
        failed = ask(found, failed_task())
        is_of_task = result.get("task_id") == document["task_id"]
        assert (state.status is ClipStatus.GENERATING) == (not is_of_task)
        assert (state.status is ClipStatus.FAILED) == (failed is not None)
        assert (state.status is ClipStatus.FAILED) == (is_of_task and result["status"] == "Fail")
        assert state.code == (1027 if failed else None)
        if state.status in (ClipStatus.UNCHECKED, ClipStatus.TO_FETCH):
            kept = "unchecked" in result and UNCHECKED in found
            assert (state.status is ClipStatus.UNCHECKED) == kept
        assert bool(state.reason) == (state.status in (ClipStatus.FAILED, ClipStatus.UNCHECKED))
    assert state_of(lone).status is not ClipStatus.IN_DOUBT


@many
@given(folders())
def test_what_is_void_may_be_made_unless_the_service_refused_it(files: Files) -> None:
    state, submits = state_of(files), ask(files, submit_state(files))
    settled = not (state.is_made or submits.submitted or submits.open_claim)
    assert settled == (state.status in (ClipStatus.TO_MAKE, ClipStatus.REFUSED))
    if settled:
        newest = files.get(layout.released_name(submits.claims), {})
        assert (state.status is ClipStatus.REFUSED) == bool(newest.get("final"))
        assert (state.reason, state.code) == (newest.get("why", ""), newest.get("code"))
        assert (state.task_id, state.usd) == ("", None)


@many
@given(folders())
def test_what_is_paid_is_never_to_be_made(files: Files) -> None:
    state, by_names = state_of(files), paid_by_names(files)
    numbers = ask(files, paid_numbers(files))
    assert unsettled(files) <= numbers
    assert (by_names is Paid.NOT) == (not numbers)
    if state.status in (ClipStatus.TO_MAKE, ClipStatus.REFUSED):
        assert by_names is Paid.NOT
    elif not state.is_made:
        assert by_names is not Paid.NOT
    assert (by_names is Paid.CERTAINLY) == (layout.SUBMISSION in files)


@many
@given(folders())
def test_no_document_is_asked_for_that_is_not_there_and_none_of_a_clip_that_is_made(files: Files) -> None:
    root = Storage("memory://nowhere")
    for question in (submit_state(files), clip_state(root, KEY, files), paid_numbers(files)):
        seen: Counter[str] = Counter()
        ask(files, question, seen)
        assert seen.keys() <= files.keys()
    seen = Counter()
    ask(files, clip_state(root, KEY, files), seen)
    if layout.VIDEO in files:
        assert set(seen) <= {layout.WARNINGS}
    if not attempts(files) and layout.SUBMISSION not in files:
        assert set(seen) <= {layout.WARNINGS} & files.keys()


@settings(max_examples=settings.default.max_examples // 2, deadline=None)
@given(files=folders())
def test_every_reader_says_the_same_on_every_storage(
    files: Files, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("root")
    for url in (str(place), f"memory://{uuid4().hex}"):
        root = Storage(url)
        write(root, files)
        agree(root, files)


def agree(root: Storage, files: Files) -> None:
    """All readers of one folder say what its state says."""
    folder = ClipFolder(root, KEY)
    names = all_names(root).get(KEY, frozenset())
    state = look(root, KEY, clip_state(root, KEY, names))
    pure = state_of(files)
    assert replace(state, reason="") == replace(pure, reason="")
    assert bool(state.reason) == bool(pure.reason)
    assert clip_states(root, [KEY, "none"]) == {KEY: state, "none": ClipState(ClipStatus.TO_MAKE)}
    assert asyncio.run(folder.state()) == state
    known = clip_states(root, [KEY], tasks=True)[KEY]
    assert asyncio.run(folder.state(tasks=True)) == known
    assert known.status is state.status
    if state.is_made:
        assert asyncio.run(folder.made_state()).task_id == known.task_id
        told_by = files.get(layout.SUBMISSION) or files.get(layout.RESULT) or {"task_id": ""}
        assert known.task_id == told_by["task_id"]
    else:
        assert known == state
    submits = asyncio.run(folder.submit_state())
    assert submits == asyncio.run(look_async(root, KEY, submit_state(names)))
    assert is_begun(root, KEY) == (paid_by_names(names) is not Paid.NOT)

    told = payments(root)
    assert {one.attempt for one in told} >= look(root, KEY, paid_numbers(names))
    assert asyncio.run(folder.paid_attempts()) == len(look(root, KEY, paid_numbers(names)))
    outcomes = {(one.attempt, one.task_id): one.state for one in told}
    if state.status is ClipStatus.IN_DOUBT:
        assert outcomes[state.attempt, ""] is AttemptOutcome.IN_DOUBT
    elif state.status is ClipStatus.FAILED:
        assert outcomes[accepted(files), state.task_id] is AttemptOutcome.FAILED
    elif submits.submitted and not state.is_made:
        assert outcomes[accepted(files), state.task_id] is AttemptOutcome.ACCEPTED
    elif state.status is ClipStatus.GENERATING:
        assert outcomes[state.attempt, state.task_id] in (AttemptOutcome.ACCEPTED, AttemptOutcome.LATE)
    elif not state.is_made:
        assert not told
    if submits.submitted and state.is_made:
        assert outcomes[accepted(files), files[layout.SUBMISSION]["task_id"]] is AttemptOutcome.DELIVERED
    prices = {one.attempt: one.usd or 0.0 for one in told}
    counted = look(root, KEY, paid_numbers(names))
    assert Spending(root).total() == pytest.approx(sum(prices[number] for number in counted))

    doubts = unfinished.in_doubt(root)
    assert set(doubts) <= ({KEY} if state.status is ClipStatus.IN_DOUBT else set())
    if state.status is ClipStatus.IN_DOUBT and layout.doubt_name(state.attempt) in files:
        assert doubts == [KEY]
    paid = {ClipStatus.GENERATING, ClipStatus.FAILED, ClipStatus.TO_FETCH, ClipStatus.UNCHECKED}
    found = asyncio.run(unfinished.unfinished(root))  # it gives task ids their name, so it is last
    if state.status in paid:
        assert found == [KEY]
        assert clip_states(root, [KEY])[KEY].task_id == state.task_id, "named, it is the same task"
    elif state.is_made or layout.SUBMISSION not in files:
        assert found == []


def test_drafts_of_a_claim_tell_what_it_was_for(tmp_path: Path) -> None:
    root = Storage(str(tmp_path))
    claim = layout.claim_name(1)
    root.write(layout.clip_file(KEY, claim), b"")
    root.write(layout.clip_file(KEY, draft_name(claim)), b'{"usd": 0.5, "nonce": "n", "what": "a clip"}')
    (payment,) = payments(root)
    assert (payment.usd, payment.what, payment.state) == (0.5, "a clip", AttemptOutcome.IN_DOUBT)
    assert asyncio.run(ClipFolder(root, KEY).claimed(1)).get("nonce") is None


class CountingStorage(Storage):
    """Counts the requests that a plan's look at its clips makes."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: Counter[str] = Counter()

    def find(self, folder: str) -> list[str]:
        self.asked[f"find {folder}"] += 1
        return super().find(folder)

    def names(self, folder: str = "") -> dict[str, int]:
        self.asked[f"names {folder}"] += 1
        return super().names(folder)

    def read(self, name: str) -> bytes:
        self.asked[f"read {name}"] += 1
        return super().read(name)


def test_one_listing_tells_of_all_clips_that_are_made() -> None:
    root = CountingStorage(f"memory://{uuid4().hex}")
    keys = [f"{number:032x}" for number in range(500)]
    for key in keys[:400]:
        root.write(layout.clip_file(key, layout.claim_name(1)), b"{}")
        root.write(layout.clip_file(key, layout.SUBMISSION), b'{"task_id": "1", "attempt": 1}')
        root.write(layout.clip_file(key, layout.VIDEO), b"video")
    states = Counter(state.status for state in clip_states(root, keys).values())
    assert states == {ClipStatus.MADE: 400, ClipStatus.TO_MAKE: 100}
    assert root.asked == {f"find {layout.CLIPS}": 1}
