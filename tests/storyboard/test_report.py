"""The report page: what it says, what it never lets through, and that a browser plays it."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import av
import pytest
from PIL import Image

from minimax_tasks.storyboard.report.page import FilmReport, ReportShot, ReportTake, render_report, timecode
from tests.browser import Browser, open_browser


def webp(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (96, 54), colour).save(data, "WEBP")
    return data.getvalue()


def mp4(colour: str, seconds: float = 1.0) -> bytes:
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as clip:
        stream = clip.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 54, "yuv420p"
        picture = av.VideoFrame.from_image(Image.new("RGB", (96, 54), colour))
        for _ in range(round(25 * seconds)):
            picture.pts = None
            clip.mux(stream.encode(picture))
        clip.mux(stream.encode(None))
    return data.getvalue()


def take(number: int, **changed: object) -> ReportTake:
    made = ReportTake(
        number=number,
        picked=False,
        status="done",
        still=webp("teal"),
        preview=None,
        key=f"key{number}",
        task_id=f"task{number}",
        usd=0.28,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def shot(id: str = "010", **changed: object) -> ReportShot:
    made = ReportShot(
        id=id,
        status="done",
        mode="start-end-to-video",
        model="MiniMax-Hailuo-02",
        resolution="768P",
        seconds=6.0,
        start=0.0,
        end=6.0,
        width=1366,
        height=768,
        fps=25.0,
        frames=150,
        prompt="[Push in]A harbour at dawn.",
        action="Mist drifts off the water.",
        dialogue="",
        notes="",
        commands=((0, 9),),
        camera=(("push_in",),),
        first_label="pier (refs/pier.png)",
        last_label="boat (refs/boat.png)",
        first=webp("navy"),
        last=webp("maroon"),
        preview=None,
        join="",
        seam_psnr=None,
        seam_luma=None,
        seam_saturation=None,
        seam_sharpness=None,
        seam_step=None,
        usd=0.28,
        task_id="77309556109724",
        key="465008a1319c77aa",
        warnings=(),
        problem="",
        takes=(take(1, picked=True),),
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def film(*shots: ReportShot, **changed: object) -> FilmReport:
    made = FilmReport(
        title="Harbour",
        look="Overcast dawn, 35 mm grain.",
        board="harbour.yaml",
        made_at="2025-11-04 09:12",
        service="api.example",
        seconds=sum(each.seconds for each in shots),
        fps=25.0,
        width=1366,
        height=768,
        joined="stream copy",
        spent_usd=1.4,
        unpriced=0,
        film="film.mp4",
        shots=shots,
        warnings=(),
    )
    return replace(made, **changed)  # type: ignore[arg-type]


class Page(HTMLParser):
    """Elements with their attributes, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self._open not in ("script", "style"):
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split()).replace(" ,", ",")

    def all(self, tag: str, class_: str = "") -> list[dict[str, str | None]]:
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and (not class_ or class_ in (attributes.get("class") or "").split())
        ]


def page(*shots: ReportShot, **changed: object) -> Page:
    return Page(render_report(film(*shots, **changed)))


HOSTILE = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>&amp;"


def test_everything_a_person_wrote_is_shown_as_written_and_never_as_markup():
    written = dict.fromkeys(
        ("prompt", "action", "dialogue", "notes", "problem", "first_label", "last_label", "model", "mode",
         "status", "resolution", "join", "task_id", "key"),
        HOSTILE,
    )  # fmt: skip
    hostile = shot(
        HOSTILE, **written, commands=((0, 8), (30, 40)), warnings=(HOSTILE,), first=None,
        takes=(take(1, status=HOSTILE, problem=HOSTILE, still=None), take(2)),
    )  # fmt: skip
    plain = page(shot(takes=(take(1), take(2))))
    shown = page(
        hostile, title=HOSTILE, look=HOSTILE, board=HOSTILE, made_at=HOSTILE, service=HOSTILE, joined=HOSTILE,
        film=HOSTILE, warnings=(HOSTILE,),
    )  # fmt: skip
    assert len(shown.all("script")) == len(plain.all("script")) == 1
    assert all(attributes.get("src") != "x" for attributes in shown.all("img"))
    assert not any(name.startswith("on") for _, attributes in shown.elements for name in attributes)
    assert shown.text.count("<script>alert(1)</script>") >= 15


def test_a_title_that_is_a_script_is_the_title():
    html = render_report(film(shot(), title="<script>alert(1)</script>"))
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt; · dailies</title>" in html


def test_the_page_asks_for_nothing_outside_itself_but_the_film():
    shown = page(
        shot(preview=mp4("navy"), takes=(take(1, preview=mp4("red")), take(2, picked=True))),
        shot("020", join="continues", seam_psnr=41.0),
    )
    addresses = [
        value
        for _, attributes in shown.elements
        for name, value in attributes.items()
        if name in ("src", "href", "poster", "srcset", "action", "data", "style") and value is not None
    ]
    outside = [value for value in addresses if re.search(r"https?:|//", value) and "data:" not in value]
    assert outside == []
    assert {value for value in addresses if not value.startswith(("data:", "#", "--", "width"))} == {
        "film.mp4",
        "film.mp4#t=0.0",
    }
    assert "@import" not in render_report(film(shot()))


@pytest.mark.parametrize("link", ["https://elsewhere.example/f.mp4", "//elsewhere.example/f.mp4", "/f.mp4"])
def test_a_link_to_the_film_stays_in_the_folder_of_the_page(link):
    sources = [attributes["src"] for attributes in page(film=link).all("video")]
    assert [re.match(r"[a-z]+:|/", source) for source in sources] == [None]


def test_only_the_pages_own_script_may_run():
    policy = page(shot()).all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'; img-src data:; media-src 'self' data:;")
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", policy)


def test_a_film_in_numbers():
    text = page(shot(), shot("020", takes=(take(1), take(2))), spent_usd=1234.5, unpriced=2).text
    assert "Running time 00:00:12:00" in text
    assert "Spent $1,234.50 + 2 unpriced" in text
    assert "Shots 2 Takes made 3" in text
    assert "1366 × 768, 25 fps, stream copy" in text


def test_the_sandbox_says_so():
    sandbox, paid = page(shot(), service="sandbox").text, page(shot()).text
    assert "drawn by the sandbox, nothing was paid" in sandbox
    assert "List price $1.40" in sandbox
    assert "sandbox" not in paid


@pytest.mark.parametrize(
    ("seconds", "fps", "written"),
    [
        (0, 25, "00:00:00:00"),
        (5.96, 25, "00:00:05:24"),
        (6, 24, "00:00:06:00"),
        (3661.5, 24, "01:01:01:12"),
        (1.001, 23.976, "00:00:01:00"),
        (2, 0, "00:00:00:00"),
    ],
)
def test_timecode(seconds, fps, written):
    assert timecode(seconds, fps) == written


def test_a_shot_shows_where_it_begins_and_ends_and_cues_the_film():
    shown = page(shot(), shot("020", start=6.0, end=11.96, seconds=6.0, join="continues"))
    assert "020 00:00:06:00 00:00:11:24" in shown.text
    assert [cue["href"] for cue in shown.all("a", "cue")] == ["film.mp4#t=0.0", "film.mp4#t=6.0"]
    assert [link["href"] for link in shown.all("a") if "data-start" in link] == ["#shot-010", "#shot-020"]
    assert [article["id"] for article in shown.all("article")] == ["shot-010", "shot-020"]


def test_block_widths_on_the_strip_are_seconds():
    blocks = [item["style"] for item in page(shot(), shot("020", seconds=10.0)).all("li") if "style" in item]
    assert blocks == ["--seconds: 6.0", "--seconds: 10.0"]


@pytest.mark.parametrize("status", ["done", "failed", "waiting", "in doubt", "generating"])
def test_every_status_is_said_and_coloured(status):
    shown = page(shot(status=status, first=None, last=None, problem="" if status == "done" else "because"))
    assert shown.all("article", status.replace(" ", "-"))
    assert f"1 {status}" in shown.text
    assert ("because" in shown.text) is (status != "done")


def test_a_failure_shows_its_code_and_text():
    text = page(shot(status="failed", problem="1026 input new_sensitive: the prompt was refused")).text
    assert "Why 1026 input new_sensitive: the prompt was refused" in text


def test_a_waiting_shot_says_what_it_waits_for():
    assert (
        "Waits for the last frame of 040"
        in page(shot(status="waiting", problem="the last frame of 040")).text
    )


def test_camera_instructions_are_marked_in_the_prompt():
    prompt = "[Static shot]She waits, <then> [推进]走近。"
    html = render_report(film(shot(prompt=prompt, commands=((31, 35), (0, 13)))))
    marked = "<mark>[Static shot]</mark>She waits, &lt;then&gt; <mark>[推进]</mark>走近。"
    assert f'<p class="prompt" dir="auto" lang="zh">{marked}</p>' in html


@pytest.mark.parametrize("commands", [((0, 9), (4, 12)), ((0, 9), (0, 9)), ((3, 400),), ((500, 600),), ()])
def test_no_span_loses_or_repeats_text(commands):
    html = render_report(film(shot(prompt="[Push in]A harbour.", commands=commands)))
    shown = re.search(r'<p class="prompt" dir="auto" lang="en">(.*?)</p>', html)
    assert shown is not None
    assert re.sub("</?mark>", "", shown[1]) == "[Push in]A harbour."


def test_seams_are_measured_in_words_and_numbers():
    text = page(
        shot(),
        shot(
            "020",
            join="continues",
            seam_psnr=53.7,
            seam_luma=-0.01,
            seam_saturation=1.0,
            seam_sharpness=1.0,
            seam_step=1.04,
        ),
        shot(
            "030",
            join="fade 0.5 s",
            seam_psnr=28.0,
            seam_luma=-4.12,
            seam_saturation=1.08,
            seam_sharpness=0.9,
        ),
        shot("040", join="continues", seam_psnr=19.0),
        shot("050", join="continues", seam_psnr=float("inf")),
        shot("060", join="cut"),
    ).text
    assert "continues seamless, 53.7 dB luma ±0 saturation × 1.00 sharpness × 1.00" in text
    assert "fade 0.5 s worth a look, 28.0 dB luma −4.1 saturation × 1.08 sharpness × 0.90" in text
    assert "visible, 19.0 dB" in text
    assert "seamless, the same picture" in text
    assert "cut Shot 060" in text


def test_takes_can_be_compared_and_picked():
    takes = (take(1), take(2, picked=True), take(3, status="failed", still=None, problem="1027 refused"))
    shown = page(shot(takes=takes))
    assert len(shown.all("li", "take")) == 3
    assert len(shown.all("li", "picked")) == 1
    assert [button["data-copy"] for button in shown.all("button", "copy")] == ["pick: 1"]
    assert "1027 refused" in shown.text


def test_pictures_say_what_they_are():
    shown = page(shot(takes=(take(1), take(2))))
    alts = [picture["alt"] for picture in shown.all("img")]
    assert alts == [
        "",  # on the strip, where the link says which shot it is
        "First frame of shot 010",
        "Last frame of shot 010",
        "Take 1 of shot 010",
        "Take 2 of shot 010",
    ]


def test_a_board_without_shots_and_a_film_not_yet_made():
    assert "This board has no shots yet." in page(film="").text
    assert "No film yet: 1 of 2 shots are done" in page(shot(), shot("020", status="waiting"), film="").text
    assert page(shot(), film="").all("video") == []


def test_a_clip_without_a_price_is_unpriced():
    assert "unpriced" in page(shot(usd=None)).text
    assert "unpriced" not in page(shot(usd=None, status="failed")).text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with its page, in a folder with a name that needs quoting."""
    folder = tmp_path_factory.mktemp("films") / "été #1"
    folder.mkdir()
    preview = mp4("navy")
    report = film(
        shot(preview=preview, takes=(take(1, preview=mp4("red")), take(2, picked=True, preview=preview))),
        shot("020", start=6.0, join="continues", seam_psnr=40.0),
        service="sandbox",
        seconds=12.0,
    )
    (folder / "film.mp4").write_bytes(mp4("green", seconds=12.0))
    (folder / "report.html").write_text(render_report(report), encoding="utf-8")
    return folder / "report.html"


@pytest.mark.parametrize("width", [1400, 800, 390])
def test_the_page_opens_from_disk_without_a_complaint(browser, opened, width):
    browser.open(opened, width=width)
    browser.wait_until("document.querySelector('.theatre video').readyState >= 2")
    assert browser.problems == []
    assert {address for address in browser.requested if not address.startswith("data:")} == {
        opened.as_uri(),
        opened.with_name("film.mp4").as_uri(),
    }
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")


def test_the_film_plays_and_the_playhead_follows(browser, opened):
    browser.open(opened)
    browser.click("#shot-020 .cue")
    browser.wait_until("document.querySelector('.theatre video').currentTime > 6.2")
    browser.wait_until("document.querySelector('.strip .now').getAttribute('href') === '#shot-020'")
    assert browser.run("document.querySelector('.playhead').hidden") is False
    assert browser.problems == []


def test_a_preview_plays_while_the_mouse_is_on_it(browser, opened):
    browser.open(opened)
    clip = "document.querySelector('#preview-1')"
    browser.point_at("#shot-010 .visual .screen")
    browser.wait_until(f"{clip}.currentTime > 0.1 && !{clip}.paused && {clip}.videoWidth === 96")
    browser.point_at("h1")
    browser.wait_until(f"{clip}.paused")
    assert browser.problems == []


def test_a_click_keeps_a_preview_playing(browser, opened):
    browser.open(opened)
    clip = "document.querySelector('#preview-1')"
    browser.click("#shot-010 .visual .screen")
    browser.point_at("h1")
    browser.wait_until(f"{clip}.currentTime > 0.3 && !{clip}.paused")
    browser.click("#shot-010 .visual .screen")
    browser.wait_until(f"{clip}.paused")


def test_the_keyboard_plays_a_take_whose_clip_the_shot_already_holds(browser, opened):
    browser.open(opened)
    browser.press_enter(".take.picked .screen")
    browser.wait_until("document.querySelector('.take.picked video').currentTime > 0.1")
    assert (
        browser.run("document.querySelector('.take.picked .screen').getAttribute('aria-pressed')") == "true"
    )
    assert browser.problems == []


def test_a_pick_is_copied(browser, opened):
    browser.open(opened)
    browser.click(".copy")
    browser.wait_until("document.querySelector('.copy [role=status]').textContent === 'copied'")
    assert browser.problems == []


def test_a_film_that_was_left_behind_is_said(browser, opened, tmp_path):
    alone = tmp_path / "report.html"
    alone.write_bytes(opened.read_bytes())
    browser.open(alone)
    browser.wait_until("document.querySelector('.theatre').classList.contains('missing')")
    browser.wait_until("document.querySelector('.gone').checkVisibility()")


def test_what_slips_past_the_escaping_still_cannot_run(browser, opened, tmp_path):
    broken = tmp_path / "report.html"
    html = opened.read_text(encoding="utf-8")
    broken.write_text(
        html.replace("</body>", "<script>window.broken = true</script></body>"), encoding="utf-8"
    )
    browser.open(broken)
    assert browser.run("window.broken === undefined")
    assert any("Content Security Policy" in problem for problem in browser.problems)


def test_the_page_prints(browser, opened):
    browser.open(opened)
    assert browser.print().startswith(b"%PDF")
