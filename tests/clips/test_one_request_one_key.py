"""What puts the same on the wire is one clip and is paid once, however it was spelled; nothing else is.

The key is tied to the body in both ways. Clips that were paid under a key of an older version are found.
"""

import asyncio
import base64
import hashlib
import io
import json
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from minimax_tasks import (
    ClipRequest,
    ImageToVideo,
    ImageToVideoRequest,
    InvalidRequest,
    StartEndToVideoRequest,
    SubjectToVideo,
    SubjectToVideoRequest,
    SubmitVideo,
    TemplateRequest,
    TextToVideoRequest,
    VideoDataset,
)
from minimax_tasks.api.catalog.models import MODEL_MODES, Mode
from minimax_tasks.api.pictures import glance, judge_picture
from minimax_tasks.api.requests import REQUESTS, AnyRequest, VideoRequest
from minimax_tasks.api.v1.endpoints import GENERATION
from minimax_tasks.clips.pictures import known_clip, remember_pictures, sendable
from minimax_tasks.clips.request import FrameOf
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.planning.make import make_plan
from tests.storyboard.boards import write_board


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.linear_gradient("L").resize((400, 320)).convert("RGB"), "JPEG", exif=exif)


def with_text(data: bytes) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "x" * 2_000_000, zip=True)
    return encoded(Image.open(io.BytesIO(data)), pnginfo=info)


WIDE = encoded(Image.linear_gradient("L").resize((480, 320)).convert("RGB"))
TALL = encoded(Image.linear_gradient("L").resize((310, 700)).convert("RGB"))
PICTURES = {
    "wide.png": WIDE,
    "wide again.png": WIDE,
    "wide with a work flow.png": with_text(WIDE),
    "square.jpg": encoded(Image.linear_gradient("L").resize((460, 460)).convert("RGB"), "JPEG"),
    "turned.jpg": rotated(),
    "upright.png": judge_picture(rotated(), field="f", name="n").data,
    "clear.png": encoded(Image.new("RGBA", (480, 330), (9, 9, 9, 90))),
    "white.png": judge_picture(
        encoded(Image.new("RGBA", (480, 330), (9, 9, 9, 90))), field="f", name="n"
    ).data,
    "tall.png": TALL,
}
"""Some are sent as they are, some are changed, and some are what others are changed into."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    for name, data in PICTURES.items():
        (made / name).write_bytes(data)
    return made


@st.composite
def references(draw: st.DrawFn, folder: Path) -> str:
    """A picture in one of the ways to name it."""
    name = draw(st.sampled_from(sorted(PICTURES)))
    path = folder / name
    return draw(
        st.sampled_from(
            [
                str(path),
                f"file://{path}",
                "data:image/png;base64," + base64.b64encode(PICTURES[name]).decode(),
                "https://example.com/a.png?Signature=1",
                str(FrameOf("0" * 32, "last")),
            ]
        )
    )


FIRST = [one for one in MODEL_MODES if one.endpoint is GENERATION]
"""The generation that had other keys before."""


@st.composite
def requests(draw: st.DrawFn, folder: Path) -> AnyRequest:
    """A request of any mode, few enough values that two are often the same but for their spelling."""
    mode = draw(st.sampled_from([mode for mode in Mode if mode is not Mode.REFERENCE]))
    fields: dict[str, Any] = {"fit": draw(st.booleans())}
    if mode is Mode.TEMPLATE:
        fields |= draw(
            st.sampled_from(
                [
                    {"template": "Helpless Moments", "text": "a cat"},
                    {"template": "helpless  moments", "text": "a cat", "image": ""},
                    {"template": "Diving"},
                    {"template": "392753057216684038", "text": ""},
                ]
            )
        )
        if fields["template"] not in ("Helpless Moments", "helpless  moments"):
            fields["image"] = draw(references(folder))
        return TemplateRequest(**fields)
    model_mode = draw(st.sampled_from([one for one in FIRST if one.mode is mode]))
    fields |= {
        "model": model_mode.model,
        "prompt": draw(st.sampled_from(["a", "b"] if mode is Mode.TEXT else ["", "a"])),
    }
    size = draw(st.sampled_from([None, *model_mode.sizes]))
    if size is not None:
        fields |= {
            "resolution": draw(st.sampled_from([size.resolution, size.resolution.lower()])),
            "duration": draw(st.sampled_from(size.seconds)),
        }
    for name in ("prompt_optimizer", "fast_pretreatment", "aigc_watermark"):
        given_value = draw(st.sampled_from([None, True, False]))
        if given_value is not None:
            fields[name] = given_value
    if mode is Mode.SUBJECT:
        one = draw(references(folder))
        fields["subject_image"] = draw(st.sampled_from([one, (one,), (one, one)]))
    for name in REQUESTS[mode].picture_fields:
        fields[name] = draw(references(folder))
    if mode is Mode.START_END and draw(st.integers(0, 5)) == 0:
        del fields["first_frame_image"]
    return REQUESTS[mode](**fields)


FRAME = encoded(Image.linear_gradient("L").resize((640, 360)).convert("RGB"))


def body_of(clip: ClipRequest) -> str:
    """What goes on the wire for a clip."""

    async def frame(_: FrameOf) -> bytes:
        return FRAME

    return json.dumps(asyncio.run(sendable(clip, frame)).body(), sort_keys=True)


def former_key(request: AnyRequest, digests: dict[str, str], take: int = 1) -> str:
    """The key as versions before gave it: by the spelling."""
    identity: dict[str, Any] = {"mode": str(request.mode), "take": take}
    if isinstance(request, VideoRequest):
        resolution, seconds = request.size
        identity |= {
            "model": request.model,
            "prompt": request.prompt,
            "resolution": resolution,
            "duration": seconds,
            "prompt_optimizer": request.prompt_optimizer,
            "fast_pretreatment": request.sends_fast_pretreatment,
            "aigc_watermark": request.aigc_watermark,
        }
    elif isinstance(request, TemplateRequest):
        identity |= {"template_id": request.row.id, "text": request.text}
    pictures = request.pictures()
    if isinstance(request, SubjectToVideoRequest) and not isinstance(request.subject_image, str):
        pictures = {f"subject_image[{number}]": image for number, image in enumerate(request.subject_image)}
    if request.fit and pictures:
        identity["fit"] = True
    named = {name: f"sha256:{digests[ref]}" if ref in digests else ref for name, ref in pictures.items()}
    text = json.dumps(
        identity | {"pictures": named}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_digests(request: AnyRequest, folder: Path) -> dict[str, str]:
    found = {}
    for reference in request.pictures().values():
        if reference.startswith("data:"):
            found[reference] = hashlib.sha256(base64.b64decode(reference.partition(",")[2])).hexdigest()
        elif not reference.startswith(("http", "clip:")):
            data = Path(reference.removeprefix("file://")).read_bytes()
            found[reference] = hashlib.sha256(data).hexdigest()
    return found


def key_and_body(clip: ClipRequest) -> tuple[str, str] | None:
    """None for a clip whose pictures the service would refuse: it is never sent."""
    try:
        return clip.key, body_of(clip)
    except InvalidRequest:
        return None


def test_the_key_and_the_body_say_the_same(folder: Path, tmp_path: Path) -> None:
    root = Storage(str(tmp_path / "out"))
    known: dict[str, str] = {}
    bodies: dict[str, str] = {}

    @settings(max_examples=max(150, 2 * settings.default.max_examples), deadline=None)
    @given(requests(folder), st.integers(1, 2))
    def judge(request: AnyRequest, take: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clip = known_clip(root, request, take)
            found = key_and_body(clip)
            assert ClipRequest.from_json(clip.to_json()) == clip
        if found is None:
            return
        key, body = found[0], f"{take} {found[1]}"
        assert known.setdefault(key, body) == body, "one key, two bodies"
        assert bodies.setdefault(body, key) == key, "one body, two keys"
        digests = read_digests(request, folder)
        assert former_key(request, digests, take) in (key, *clip.older_keys())
        plain = clip.sent == {} and not request.fit and not any("[0]" in name for name in request.pictures())
        one_picture = not isinstance(getattr(request, "subject_image", ""), tuple)
        if plain and one_picture and getattr(request, "text", None) != "":
            assert former_key(request, digests, take) == key, "keys of what was never spelled oddly stay"

    judge()
    assert len(known) > 60


@settings(max_examples=3 * settings.default.max_examples // 5, deadline=None)
@given(
    st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"]),
    st.sampled_from(["PNG", "JPEG", "WEBP"]),
    st.sampled_from([(480, 320), (310, 900), (900, 310), (301, 301)]),
    st.sampled_from([1, 3, 6, 99]),
    st.booleans(),
)
def test_a_glance_tells_what_judging_does(
    mode: str, kind: str, size: tuple[int, int], turn: int, fit: bool
) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    try:
        data = encoded(Image.new(mode, size), kind, exif=exif)
    except (OSError, KeyError):
        return  # there is no such file
    seen = glance(data)
    assert seen is not None
    try:
        picture = judge_picture(data, field="f", name="n", fit=fit)
    except InvalidRequest:
        assert not fit
        assert not seen.fits
        return
    assert (picture.data == data) is (seen.as_it_is and (seen.fits or not fit))
    if not fit or seen.fits:
        assert (picture.width, picture.height) == (seen.width, seen.height)


SPELLINGS: list[tuple[str, Callable[[str], AnyRequest], Callable[[str], AnyRequest]]] = [
    (
        "fit that changes nothing",
        lambda still: ImageToVideoRequest(first_frame_image=still),
        lambda still: ImageToVideoRequest(first_frame_image=still, fit=True),
    ),
    (
        "a list of one",
        lambda still: SubjectToVideoRequest(subject_image=still),
        lambda still: SubjectToVideoRequest(subject_image=(still,)),
    ),
    (
        "fit and a list of one",
        lambda still: SubjectToVideoRequest(subject_image=still),
        lambda still: SubjectToVideoRequest(subject_image=(still,), fit=True),
    ),
    (
        "defaults written out",
        lambda still: ImageToVideoRequest(first_frame_image=still),
        lambda still: ImageToVideoRequest(
            first_frame_image=still, duration=6, resolution="768p", prompt_optimizer=True, prompt=""
        ),
    ),
    (
        "a template by its id, with empty fields",
        lambda still: TemplateRequest(template="Diving", image=still),
        lambda still: TemplateRequest(template="392753057216684038", image=still, text=""),
    ),
    (
        "no picture and an empty one",
        lambda _: TemplateRequest(template="Helpless Moments", text="a cat"),
        lambda _: TemplateRequest(template="helpless moments", text="a cat", image=""),
    ),
    (
        "a picture by its URL",
        lambda _: ImageToVideoRequest(first_frame_image="https://example.com/a.png"),
        lambda _: ImageToVideoRequest(first_frame_image="https://example.com/a.png", fit=True),
    ),
]


@pytest.mark.parametrize(
    ("one", "other"), [pair[1:] for pair in SPELLINGS], ids=[pair[0] for pair in SPELLINGS]
)
def test_two_spellings_are_one_clip_and_what_was_paid_under_either_is_found(
    one: Callable[[str], AnyRequest], other: Callable[[str], AnyRequest], folder: Path, tmp_path: Path
) -> None:
    still = str(folder / "wide.png")
    requests_of = (one(still), other(f"file://{still}"))
    keys = {known_clip(Storage(str(tmp_path / "new")), request, 1).key for request in requests_of}
    assert len(keys) == 1
    for number, paid in enumerate(requests_of):
        root = Storage(str(tmp_path / f"old{number}"))
        old = former_key(paid, read_digests(paid, folder))
        root.write_json(f"clips/{old}/claim.1.json", {})
        root.write_json(f"clips/{old}/submission.json", {"task_id": "1"})
        for request in requests_of:
            clip = known_clip(root, request, 1)
            assert clip.key == old
            assert ClipRequest.from_json(clip.to_json()).key == old
            assert SubmitVideo(request=clip, root=root.url).complete()


def test_what_fit_turned_or_cropped_before_is_found_and_a_new_clip_is_known_by_what_is_sent(
    folder: Path, tmp_path: Path
) -> None:
    for number, request in enumerate(
        (
            ImageToVideoRequest(first_frame_image=str(folder / "turned.jpg")),
            ImageToVideoRequest(first_frame_image=str(folder / "tall.png"), fit=True),
            StartEndToVideoRequest(
                first_frame_image=str(folder / "wide.png"), last_frame_image=str(folder / "square.jpg")
            ),
        )
    ):
        root = Storage(str(tmp_path / str(number)))
        new, old = known_clip(root, request, 1).key, former_key(request, read_digests(request, folder))
        assert new != old
        root.write_json(f"clips/{old}/submission.json", {"task_id": "1"})
        assert known_clip(root, request, 1).key == old
        root.write_json(f"clips/{new}/submission.json", {"task_id": "2"})
        assert known_clip(root, request, 1).key == new, "its own folder comes first"


def test_a_clip_that_was_only_tried_under_an_older_key_is_tried_anew(folder: Path, tmp_path: Path) -> None:
    root = Storage(str(tmp_path))
    request = ImageToVideoRequest(first_frame_image=str(folder / "wide.png"))
    old = former_key(request.model_copy(update={"fit": True}), read_digests(request, folder))
    root.write_json(f"clips/{old}/claim.1.json", {})
    assert known_clip(root, request, 1).key == old, "it may have been paid"
    root.write_json(f"clips/{old}/released.1.json", {"final": True, "why": "sensitive"})
    assert known_clip(root, request, 1).key != old


def test_every_door_agrees(sandbox: Sandbox, folder: Path, tmp_path: Path) -> None:
    """Tasks, boards, tables and requests, by the key of a clip that an older version made with `fit`."""
    root = Storage(str(tmp_path / "out"))
    still = folder / "turned.jpg"
    request = ImageToVideoRequest(first_frame_image=str(still), prompt="A boat.", fit=True)
    old = former_key(request, read_digests(request, folder))
    root.write_json(f"clips/{old}/claim.1.json", {})
    root.write_json(f"clips/{old}/submission.json", {"task_id": "1", "attempt": 1})
    (tmp_path / "table.csv").write_text(f"prompt,first_frame_image\nA boat.,{still}\n")
    board = write_board(tmp_path, f"title: T\nshots:\n  - {{id: a, from: '{still}', prompt: A boat.}}\n")
    task = ImageToVideo(first_frame_image=still, prompt="A boat.", root=root.url)
    found = {
        "task": Path(task.output().path).parent.name,
        "its parts": task.requires().key,
        "request": SubmitVideo(request=request, root=root.url).key,
        "older request": SubmitVideo(
            request=ClipRequest(
                request, {"first_frame_image": hashlib.sha256(still.read_bytes()).hexdigest()}
            ),
            root=root.url,
        ).key,
        "board": make_plan(board, root=root.url, language="en").segments[0].key,
        "table": next(iter(VideoDataset(table=str(tmp_path / "table.csv"), root=root.url).plan.clips)),
    }
    assert set(found.values()) == {old}, found


def test_a_picture_that_is_gone_is_known_by_what_was_sent(folder: Path, tmp_path: Path) -> None:
    root = Storage(str(tmp_path / "out"))
    for name in ("turned.jpg", "square.jpg"):
        (tmp_path / name).write_bytes(PICTURES[name])
    request = StartEndToVideoRequest(
        first_frame_image=str(tmp_path / "turned.jpg"), last_frame_image=str(tmp_path / "square.jpg")
    )
    clip = known_clip(root, request, 1)
    assert set(clip.sent or {}) == {"first_frame_image", "last_frame_image"}
    remember_pictures(root, clip)
    root.write_json(f"clips/{clip.key}/submission.json", {"task_id": "1"})
    for name in ("turned.jpg", "square.jpg"):
        os.remove(tmp_path / name)
    assert known_clip(root, request, 1) == clip


def test_another_version_of_the_image_library_does_not_pay_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minimax_tasks.api import pictures
    from minimax_tasks.clips import pictures as of_clips

    root = Storage(str(tmp_path))
    request = ImageToVideoRequest(first_frame_image=str(folder / "turned.jpg"))
    paid = known_clip(root, request, 1)
    remember_pictures(root, paid)
    real = pictures._encode
    monkeypatch.setattr(pictures, "_encode", lambda image, kind="PNG": real(image, kind) + b"other")
    of_clips.forget_pictures()
    try:
        assert known_clip(root, request, 1) == paid
        assert known_clip(Storage(str(tmp_path / "new")), request, 1).key != paid.key
    finally:
        of_clips.forget_pictures()


def test_a_key_that_is_not_the_request_s_is_not_believed(folder: Path) -> None:
    clip = ClipRequest(TextToVideoRequest(prompt="a"))
    with pytest.raises(InvalidRequest, match="key"):
        ClipRequest.from_json(replace(clip, stored="0" * 32).to_json())


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_a_subject_of_one_picture_is_one_task_output(folder: Path, tmp_path: Path) -> None:
    still = str(folder / "wide.png")
    outputs = {
        SubjectToVideo(subject_image=image, root=str(tmp_path)).output().path for image in (still, (still,))
    }
    assert len(outputs) == 1


_URL = "https://h.example/x.png"


@pytest.mark.parametrize(
    ("request_", "take", "key"),
    [
        (TextToVideoRequest(prompt="A lighthouse."), 1, "6a005c77496bf197ce66f3ea91ae2241"),
        (
            TextToVideoRequest(prompt="A lighthouse.", duration=10, aigc_watermark=True),
            2,
            "e38c22c59866de954866d1c8316ae3d2",
        ),
        (
            ImageToVideoRequest(first_frame_image=_URL, prompt_optimizer=False),
            1,
            "23b2292e99716a4b0112865d534c8f67",
        ),
        (
            StartEndToVideoRequest(first_frame_image=_URL, last_frame_image=_URL, resolution="1080P"),
            1,
            "38abde8f942edd5bda6265f25f23a89e",
        ),
        (
            SubjectToVideoRequest(subject_image=_URL, prompt="She winks."),
            1,
            "b1462f3a5e5fd6d0295cc5c620fe41c8",
        ),
        (TemplateRequest(template="Diving", image=_URL), 1, "092e435bca17992df8a8cb1516e0b2e7"),
    ],
)
def test_keys_that_were_given_stay(request_: AnyRequest, take: int, key: str) -> None:
    """They are names of folders with videos that were paid for."""
    assert ClipRequest(request_, take=take).key == key
