"""What the engines share, without any of them: cards with a still and links, which failures are tried again."""

import asyncio
from pathlib import Path

import pytest

import minimax_tasks as mm
from minimax_tasks.engines.asking import request_of, settings_of
from minimax_tasks.engines.cards import clip_card
from minimax_tasks.engines.failures import is_worth_a_try
from minimax_tasks.errors import OutOfReach, TakenBack, Verdict
from minimax_tasks.sandbox import Sandbox


def test_a_card_has_a_still_a_price_and_a_link(sandbox: Sandbox, tmp_path: Path) -> None:
    request = request_of({"prompt": "A pier | at [Push in] *noon*"})
    settings = settings_of(root=str(tmp_path / "root"), tracking_url="https://videos.example/all/{path}")
    clip = asyncio.run(mm.make(request, root=settings.root, service=mm.Service(settings)))
    card = clip_card(request, clip, settings)
    link = f"https://videos.example/all/clips/{clip.key}/video.mp4"
    assert card.link == link
    assert card.rows["price"] == "USD 0.28"
    assert f"]({link})" in card.rows["video"]
    assert card.markdown.startswith("![first frame](data:image/jpeg;base64,")
    assert r"A pier \| at \[Push in\] \*noon\*" in card.markdown
    assert card.small_picture.startswith("[![first frame](data:image/webp;base64,")
    assert len(card.small_picture) < 1000, "Dagster folds longer texts away"
    assert clip_card(request, clip, settings.having(tracking_url="")).link == ""


def test_a_card_of_a_video_that_is_gone_has_no_still(sandbox: Sandbox, tmp_path: Path) -> None:
    request = request_of({"prompt": "A pier"})
    settings = settings_of(root=str(tmp_path / "root"))
    clip = asyncio.run(mm.make(request, root=settings.root, service=mm.Service(settings)))
    Path(clip.path).unlink()
    assert clip_card(request, clip, settings).picture == ""


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (mm.NotConnected("no route"), True),
        (mm.GenerationTimeout("not ready"), True),
        (mm.DownloadFailed("cut off"), True),
        (TakenBack("taken back"), True),
        (OSError("the disk is full"), True),
        (mm.RateLimited("slow down", code=1002, verdict=Verdict.RETRY_LATER), True),
        (mm.UncheckedVideo("odd"), False),
        (mm.UncertainSubmit("who knows"), False),
        (mm.GenerationFailed("1027"), False),
        (mm.BudgetReached("enough"), False),
        (mm.InvalidRequest("duration", 7, (6, 10)), False),
        (mm.AuthenticationFailed("no", code=1004, verdict=Verdict.REFUSED), False),
        (mm.InputRejected("no", code=1026, verdict=Verdict.REFUSED), False),
        (OutOfReach("gone"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_another_try_cannot_mend_is_not_tried_again(error: Exception, again: bool) -> None:
    assert is_worth_a_try(error) is again


@pytest.mark.parametrize("root", ["videos", "./videos", "memory://videos"])
def test_a_root_that_workers_cannot_share_is_refused(root: str) -> None:
    with pytest.raises(mm.ConfigurationError, match="root"):
        settings_of(root=root)


@pytest.mark.parametrize("asked", [{"prompt": "a pier", "prmpt": "x"}, {"duration": 6}, "a pier", None])
def test_a_wrong_request_is_refused(asked: object) -> None:
    with pytest.raises(mm.InvalidRequest):
        request_of(asked)  # type: ignore[arg-type]
