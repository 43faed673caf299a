"""Clients that others published for the service get their video from the sandbox, and are not changed for it.

Only their waits are shortened, and what would lead them to the real service is pointed at the sandbox.
"""

import json
from pathlib import Path

import pytest

from minimax_tasks.sandbox.shapes import frame_count
from minimax_tasks.video.probe import probe
from tests.clients import find_mmx, find_python, https_front, run
from tests.conftest import Picture
from tests.sandbox.conftest import Api, Serve, fetch

pytestmark = pytest.mark.clients

MISSING = "the clients are not installed; `make test` installs them"
python_clients = pytest.mark.skipif(find_python() is None, reason=MISSING)

OFFICIAL_MCP = """
import sys, time
import minimax_mcp.server as server
server.time.sleep = lambda seconds, sleep=time.sleep: sleep(seconds / 40)
still = sys.argv[1] if len(sys.argv) > 1 else None
print(server.generate_video(
    prompt="a cat", first_frame_image=still, duration=6, resolution="768P", output_directory="."
).text)
"""

HERMES = """
import base64, pathlib, sys
import hermes_minimax_media.plugins.video_gen.minimax as plugin
plugin.POLL_INTERVAL_SEC = 0.2
stills = ["data:image/png;base64," + base64.b64encode(pathlib.Path(name).read_bytes()).decode()
          for name in sys.argv[2:]]
asked = {
    "text": {},
    "start-end": {"model": "MiniMax-Hailuo-02", "image_url": stills[:1], "last_frame_image": stills[1:]},
    "subject": {"model": "S2V-01", "reference_image_urls": stills},
}[sys.argv[1]]
asked = {name: value[0] if name.endswith(("url", "frame_image")) else value for name, value in asked.items()}
print(plugin.MiniMaxVideoGenProvider().generate("a cat", duration=6, resolution="768P", **asked))
"""

# What the plugin takes from the program that it is a plugin of.
HERMES_HOST = """
import pathlib
DEFAULT_ASPECT_RATIO, DEFAULT_RESOLUTION = "16:9", "768P"
class VideoGenProvider: ...
def success_response(**told): return told
def error_response(**told): raise SystemExit(told["error"])
def save_bytes_video(data, prefix, extension):
    path = pathlib.Path(f"{prefix}.{extension}").resolve()
    path.write_bytes(data)
    return path
"""

MINIMAX_PYTHON = """
import sys
import minimax.base_client
minimax.base_client.BaseClient.BASE_URL = sys.argv[1] + "/v1"
from minimax import Minimax
client = Minimax(api_key="any", group_id="1")
client.poll_interval = 0.2
client.generate_video(text="a cat", image=sys.argv[2] if len(sys.argv) > 2 else None, download_path="cat.mp4")
"""


LITELLM = """
import json, pathlib, sys, time
import litellm
litellm.user_url_validation = False  # its own switch for addresses of this machine
asked = json.loads(sys.argv[2])
options = {"api_base": sys.argv[1], "api_key": "any"}
if "input_reference" in asked:
    asked["input_reference"] = open(asked["input_reference"], "rb")
video = litellm.video_generation(model="minimax/MiniMax-H3", prompt="a cat", **asked, **options)
while (told := litellm.video_status(video_id=video.id, **options)).status not in ("completed", "failed"):
    time.sleep(0.2)
pathlib.Path("cat.mp4").write_bytes(litellm.video_content(video_id=video.id, **options))
print(told.status, len(litellm.video_list(custom_llm_provider="minimax", **options)["data"]))
"""


@pytest.fixture
def paced(serve: Serve) -> Api:
    """A sandbox whose clips take a moment, so that a client has to ask more than once."""
    return serve(latency=0.3)


def check(api: Api, folder: Path, mode: str) -> None:
    """One task was accepted, and the one video in the folder is what the sandbox drew for it."""
    (entry,) = api.sandbox.ledger()
    assert (entry["kind"], entry["status"], entry["leaked_key"]) == (mode, "Success", False)
    (video,) = folder.rglob("*.mp4")
    assert video.read_bytes() == fetch(api.retrieve(entry["file_id"])["file"]["download_url"]).content
    found = probe(video, "decode")
    assert found.ok, found.problems
    assert found.frames == found.fps * 6


@python_clients
@pytest.mark.parametrize("stills", [(), ("pier.png",)], ids=["text", "image"])
def test_the_official_mcp_server(
    paced: Api, tmp_path: Path, picture: Picture, stills: tuple[str, ...]
) -> None:
    words = [str(picture(name)) for name in stills]
    told = run(
        [find_python() or "", "-c", OFFICIAL_MCP, *words],
        tmp_path,
        MINIMAX_API_HOST=paced.sandbox.url,
        MINIMAX_API_KEY="any",
        MINIMAX_API_RESOURCE_MODE="local",
        MINIMAX_MCP_BASE_PATH=str(tmp_path),
    )
    assert told.startswith("Success. Video saved as")
    check(paced, tmp_path, "image-to-video" if stills else "text-to-video")


@python_clients
@pytest.mark.parametrize(
    ("asked", "mode", "stills"),
    [
        ("text", "text-to-video", ()),
        ("start-end", "start-end-to-video", ("pier.png", "boat.png")),
        ("subject", "subject-to-video", ("mara.png",)),
    ],
)
def test_hermes(
    paced: Api, tmp_path: Path, picture: Picture, asked: str, mode: str, stills: tuple[str, ...]
) -> None:
    host = tmp_path / "agent" / "video_gen_provider.py"
    host.parent.mkdir()
    host.write_text(HERMES_HOST)
    run(
        [find_python() or "", "-c", HERMES, asked, *[str(picture(name)) for name in stills]],
        tmp_path,
        PYTHONPATH=str(tmp_path),
        MINIMAX_BASE_URL=paced.sandbox.url,
        MINIMAX_API_KEY="any",
    )
    check(paced, tmp_path, mode)


@python_clients
@pytest.mark.parametrize("stills", [(), ("pier.png",)], ids=["text", "image"])
def test_minimax_python(paced: Api, tmp_path: Path, picture: Picture, stills: tuple[str, ...]) -> None:
    words = [str(picture(name)) for name in stills]
    run([find_python() or "", "-c", MINIMAX_PYTHON, paced.sandbox.url, *words], tmp_path)
    check(paced, tmp_path, "image-to-video" if stills else "text-to-video")


@pytest.mark.skipif(find_mmx() is None, reason=MISSING + " where there is npm")
@python_clients
@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("text-to-video", ()),
        ("image-to-video", ("--image",)),
        ("start-end-to-video", ("--image", "--last-frame")),
        ("subject-to-video", ("--subject-image",)),
    ],
)
def test_the_official_command(
    paced: Api, tmp_path: Path, picture: Picture, mode: str, flags: tuple[str, ...]
) -> None:
    stills = [word for flag in flags for word in (flag, str(picture(f"{flag.strip('-')}.png")))]
    # It fetches over https whatever the download URL says.
    with https_front(paced.sandbox.url, tmp_path) as (url, certificate):
        told = run(
            [
                find_mmx() or "",
                *["video", "generate", "--prompt", "a cat [Push in]", *stills, "--download", "cat.mp4"],
                *["--api-key", "any", "--non-interactive", "--output", "json", "--poll-interval", "1"],
            ],
            tmp_path,
            MINIMAX_BASE_URL=url,
            MINIMAX_REGION="global",  # without it, it asks the real hosts which region the key is of
            NODE_EXTRA_CA_CERTS=str(certificate),
        )
    assert "cat.mp4" in json.dumps(json.loads(told))
    check(paced, tmp_path, mode)


def check_h3(api: Api, folder: Path, mode: str, seconds: int) -> None:
    """One task was accepted, and the one video in the folder, with its sound, is what the sandbox drew for it."""
    (entry,) = api.sandbox.ledger()
    assert (entry["kind"], entry["status"], entry["leaked_key"]) == (mode, "Success", False)
    (video,) = folder.rglob("*.mp4")
    task = api.http.get(f"/v2/query/video_generation/{entry['task_id']}").json()["task"]
    assert video.read_bytes() == fetch(task["content"]["url"]).content
    found = probe(video, "decode")
    assert found.ok, found.problems
    assert found.frames == frame_count(seconds)


@pytest.mark.skipif(find_mmx() is None, reason=MISSING + " where there is npm")
@python_clients
@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("text-to-video", ("--ratio", "9:16", "--duration", "7")),
        ("image-to-video", ("--image", "STILL", "--duration", "7")),
        ("start-end-to-video", ("--image", "STILL", "--last-frame", "STILL", "--duration", "7")),
        ("start-end-to-video", ("--last-frame", "STILL", "--duration", "7")),
        (
            "reference-to-video",
            ("--reference-image", "STILL", "--reference-image", "STILL", "--duration", "7"),
        ),
    ],
)
def test_the_official_command_with_the_second_generation(
    paced: Api, tmp_path: Path, picture: Picture, mode: str, flags: tuple[str, ...]
) -> None:
    words = [str(picture(f"{number}.png")) if flag == "STILL" else flag for number, flag in enumerate(flags)]
    with https_front(paced.sandbox.url, tmp_path) as (url, certificate):
        told = run(
            [
                find_mmx() or "",
                *["video", "generate", "--model", "MiniMax-H3", "--prompt", "a cat", *words],
                *["--download", "cat.mp4", "--api-key", "any", "--non-interactive", "--output", "json"],
                *["--poll-interval", "1"],
            ],
            tmp_path,
            MINIMAX_BASE_URL=url,
            MINIMAX_REGION="global",
            NODE_EXTRA_CA_CERTS=str(certificate),
        )
    assert "cat.mp4" in json.dumps(json.loads(told))
    check_h3(paced, tmp_path, mode, 7)


@python_clients
@pytest.mark.parametrize(
    ("asked", "mode"),
    [
        ({"seconds": "4", "size": "720x1280"}, "text-to-video"),
        ({"seconds": "4", "input_reference": "STILL"}, "image-to-video"),
    ],
)
def test_litellm(paced: Api, tmp_path: Path, picture: Picture, asked: dict[str, str], mode: str) -> None:
    given = {name: str(picture("pier.png")) if value == "STILL" else value for name, value in asked.items()}
    told = run(
        [find_python() or "", "-c", LITELLM, paced.sandbox.url, json.dumps(given)],
        tmp_path,
        LITELLM_LOCAL_MODEL_COST_MAP="True",  # else it fetches its list of prices
    )
    assert told.split() == ["completed", "1"]
    check_h3(paced, tmp_path, mode, 4)
