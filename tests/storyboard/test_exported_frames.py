"""Every export of a film with everything in its cut, read back and compared with the film, frame by frame."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from minimax_tasks.commands.main import main
from minimax_tasks.storyboard.plan import Plan
from tests.storyboard.exported_film import (
    Pictures,
    Shown,
    made_film,
    path_of,
    shown_by_edl,
    shown_by_fcpxml,
    shown_by_timeline,
    time_of,
    unlike,
)
from tests.storyboard.fcpxml_rules import broken_rules

otio = pytest.importorskip("opentimelineio", reason="it has no wheel for this Python")

FRAMES = 222
ALONE = 192
"""Frames of the film that show one clip: all but those of the three transitions."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("everything")


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    return made_film(folder)


@pytest.fixture(scope="module")
def export(folder: Path, plan: Plan) -> Callable[..., Path]:
    """Writes an export, unless a test before has; `anew` writes it once more."""

    def write(name: str, *options: str, anew: bool = False) -> Path:
        if (folder / name).exists() and not options and not anew:
            return folder / name
        assert main(["export", plan.path, str(folder / name), "--root", str(folder / "out"), *options]) == 0
        return folder / name

    return write


def timeline_of(path: Path):  # type: ignore[no-untyped-def]
    found = otio.adapters.read_from_file(str(path))
    return found[0] if isinstance(found, otio.schema.SerializableCollection) else found


def shown_by(path: Path, plan: Plan, rate: Fraction = Fraction(24)) -> Shown:
    match path.suffix:
        case ".fcpxml":
            return shown_by_fcpxml(path, rate)
        case ".edl":
            return shown_by_edl(path, rate)
        case ending:
            return shown_by_timeline(timeline_of(path), rate, fcp7=ending == ".xml")


@pytest.mark.parametrize("ending", ["otio", "xml", "fcpxml", "edl"])
def test_an_export_shows_what_the_film_shows(
    export: Callable[..., Path], folder: Path, plan: Plan, ending: str
) -> None:
    export("film.otio")
    shown = shown_by(export(f"film.{ending}"), plan)
    assert max(shown) + 1 == FRAMES
    assert len(shown) == ALONE
    at_two = {path_of(seen.file) for frame, seen in shown.items() if frame in range(72, 90)}
    sampled = frozenset({str(folder / "own.mp4"), *at_two})
    assert list(unlike(folder / "out/films/everything/film.mp4", shown, sampled)) == []


def test_a_bundle_holds_its_media_and_overwrites_the_one_before(export: Callable[..., Path]) -> None:
    export("film.otioz")
    timeline = timeline_of(export("film.otioz", anew=True))
    assert timeline.duration().to_frames() == FRAMES
    assert {clip.media_reference.target_url.split("/")[0] for clip in timeline.find_clips()} == {"media"}


def test_a_final_cut_project_keeps_to_the_rules_of_its_dtd(export: Callable[..., Path]) -> None:
    root = ET.parse(export("film.fcpxml")).getroot()
    assert list(broken_rules(root)) == []
    next(root.iter("asset-clip")).insert(0, ET.Element("marker", start="0s", value="x"))
    assert len(list(broken_rules(root))) == 1, "or the rules would allow anything"


def test_a_final_cut_project_says_everything_in_its_own_words(export: Callable[..., Path]) -> None:
    root = ET.parse(export("film.fcpxml")).getroot()
    (sequence,) = root.iter("sequence")
    formats = {one.get("id"): one for one in root.iter("format")}
    film = formats[sequence.get("format")]
    assert (film.get("width"), film.get("height"), film.get("frameDuration")) == ("320", "180", "1/24s")
    assert time_of(sequence, "duration") == Fraction(FRAMES, 24)
    assert [one.get("name") for one in root.iter("transition")] == [
        "Cross Dissolve",
        "Wipe",
        "Circle",
    ]
    assert [(one.get("role"), one.get("name")) for one in root.iter("caption")] == [
        ("iTT?captionFormat=ITT.en", "We should go."),
        ("iTT?captionFormat=ITT.zh", "我们该走了。"),
        ("iTT?captionFormat=ITT.en", "Now!"),
    ]
    assert [one.get("name") for one in root.iter("title")] == ["Mara"]
    (audition,) = root.iter("audition")
    assert [one.get("name") for one in audition.findall("asset-clip")] == ["Shot a", "Shot a, take 2"]
    own = next(one for one in root.iter("asset-clip") if one.get("name") == "Shot e")
    moved = own.find("adjust-transform")
    assert moved is not None
    assert moved.get("scale") == "0.75 0.75"
    conformed = own.find("conform-rate")
    assert conformed is not None
    assert conformed.attrib == {"scaleEnabled": "0", "srcFrameRate": "30"}
    lanes = {one.get("name"): one.get("lane") for one in root.iter("asset-clip") if one.get("lane")}
    assert lanes == {"line.wav": "-1", "bed.wav": "-2"}


def test_sounds_begin_where_they_do_in_the_film(export: Callable[..., Path]) -> None:
    """In a project of Final Cut, by the clock of the clip that each hangs on."""
    root = ET.parse(export("film.fcpxml")).getroot()
    begins = []
    for item in next(root.iter("spine")):
        clip = item.find("asset-clip") if item.tag == "audition" else item
        assert clip is not None
        begins += [
            (
                (time_of(item, "offset") + time_of(one, "offset") - time_of(clip, "start")) * 24,
                one.get("name"),
            )
            for one in clip.findall("asset-clip")
        ]
    assert sorted(begins) == [(0, "bed.wav"), (30, "line.wav"), (48, "bed.wav"), (96, "bed.wav"), (144, "bed.wav"), (192, "bed.wav")]  # fmt: skip


def test_final_cut_pro_7_has_the_format_of_the_film_and_of_each_file(export: Callable[..., Path]) -> None:
    root = ET.parse(export("film.xml")).getroot()
    (sequence,) = root.iter("sequence")
    form = sequence.find("media/video/format/samplecharacteristics")
    assert form is not None
    assert [form.findtext(one) for one in ("width", "height", "rate/timebase")] == ["320", "180", "24"]
    item = next(one for one in sequence.iter("clipitem") if one.findtext("name") == "Shot e")
    file = item.find("file")
    assert file is not None
    size = file.find("media/video/samplecharacteristics")
    assert size is not None
    assert (size.findtext("width"), size.findtext("height"), file.findtext("rate/timebase")) == (
        "240",
        "240",
        "30",
    )
    values = {one.findtext("parameterid"): one.findtext("value") for one in item.iter("parameter")}
    assert values["scale"] == "75.0000"
    effects = [one.find("effect") for one in sequence.iter("transitionitem")]
    found = [
        (one.findtext("effectid"), one.findtext("wipecode"), one.findtext("reverse"))
        for one in effects
        if one is not None
    ]
    assert found == [
        ("Cross Dissolve", None, None),
        ("Edge Wipe", "1", "TRUE"),
        ("Oval Iris", "119", "FALSE"),
        ("KGAudioTransCrossFade3dB", None, None),
    ]
    stills = [one for one in sequence.iter("clipitem") if one.findtext("stillframe") == "TRUE"]
    assert [(one.findtext("name"), one.findtext("stillframeoffset")) for one in stills] == [("Shot d", "47")]
    texts = {
        one.findtext("name"): (one.findtext("start"), one.findtext("end"))
        for one in sequence.iter("generatoritem")
    }
    assert texts == {
        "Mara": ("96", "108"),
        "We should go.": ("0", "24"),
        "我们该走了。": ("0", "24"),
        "Now!": ("66", "90"),
    }
    switched = [one.findtext("enabled") for one in sequence.findall("media/video/track")]
    assert switched == ["TRUE", "TRUE", "FALSE", "FALSE"]


def test_every_item_of_a_final_cut_pro_7_file_says_what_editing_programs_ask_it_for(
    export: Callable[..., Path],
) -> None:
    """OpenShot asks each track whether it is locked, and stops where one does not say; one rate says how an item counts."""
    root = ET.parse(export("film.xml")).getroot()
    tracks = [(one.findtext("enabled"), one.findtext("locked")) for one in root.iter("track")]
    # A title, captions in two languages of which the film shows none, and the sound of clips, beds and voices.
    assert tracks == [("TRUE", "FALSE")] * 2 + [("FALSE", "FALSE")] * 2 + [("TRUE", "FALSE")] * 3
    for item in (*root.iter("clipitem"), *root.iter("generatoritem"), *root.iter("transitionitem")):
        assert len(item.findall("rate")) == 1


def test_an_item_of_a_final_cut_pro_7_file_has_its_own_name_and_times_first(
    export: Callable[..., Path],
) -> None:
    """OpenShot takes the first `name`, `in` and `out` within an item for its own, wherever they stand."""
    root = ET.parse(export("film.xml")).getroot()
    for item in (*root.iter("clipitem"), *root.iter("generatoritem")):
        for tag in ("name", "duration", "start", "end", "in", "out"):
            assert next(item.iter(tag)) is item.find(tag)


def test_the_sound_of_a_clip_is_linked_to_its_picture_in_final_cut_pro_7(export: Callable[..., Path]) -> None:
    text = export("film.xml").read_text(encoding="utf-8")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n<xmeml version="4">')
    items = {item.get("id"): item for item in ET.fromstring(text).iter("clipitem")}
    linked = {
        item.findtext("name"): [
            items[link.findtext("linkclipref")].findtext("name") for link in item.iter("link")
        ]
        for item in items.values()
        if item.find("link") is not None
    }
    assert linked == {f"Shot {shot}": [f"Shot {shot}"] * 2 for shot in "abe"}
    begins = {one.findtext("in") for one in items.values() if one.findtext("name") == "Shot b"}
    assert begins == {"0"}, "picture and sound lie together"


def test_how_loud_a_clip_is_goes_out_with_it(tmp_path: Path) -> None:
    text = """\
    title: Loud
    shots: [{id: a, action: Rain., sound: 0.5}, {id: b, action: Sun., cut: true, sound: drop}]
    """
    plan = made_film(tmp_path, text)
    for ending in ("xml", "fcpxml", "otio"):
        assert (
            main(["export", plan.path, str(tmp_path / f"cut.{ending}"), "--root", str(tmp_path / "out")]) == 0
        )
    sequence, project = (ET.parse(tmp_path / f"cut.{ending}").getroot() for ending in ("xml", "fcpxml"))
    (level,) = (one for one in sequence.iter("parameter") if one.findtext("parameterid") == "level")
    assert level.findtext("value") == "0.50000"
    loud, silent = project.iter("asset-clip")
    volume = loud.find("adjust-volume")
    assert volume is not None
    assert (volume.get("amount"), silent.get("srcEnable")) == ("-6.021dB", "video")
    (heard,) = timeline_of(tmp_path / "cut.otio").audio_tracks()[0].find_clips()
    assert (heard.name, heard.metadata["minimax_tasks"]["gain"]) == ("Shot a", -6.021)


CROPPED = [
    ("crop", "left", "1", Fraction(1), (70.0, 0.0)),
    ("crop", "right", "1", Fraction(1), (-70.0, 0.0)),
    ("bars", "center", "0.5625", Fraction(9, 16), (0.0, 0.0)),
]


@pytest.mark.parametrize(("fill", "kept", "scale", "times", "moved"), CROPPED)
def test_a_film_in_another_shape_is_exported_in_that(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fill: str,
    kept: str,
    scale: str,
    times: Fraction,
    moved: tuple[float, float],
) -> None:
    text = f"""\
    title: Square
    picture: {{fill: {fill}}}
    shots: [{{id: a, action: Rain., crop: {kept}}}]
    """
    plan = made_film(tmp_path, text)
    for ending in ("xml", "fcpxml", "edl", "otio"):
        options = ["--root", str(tmp_path / "out"), "--aspect", "1:1"]
        assert main(["export", plan.path, str(tmp_path / f"cut.{ending}"), *options]) == 0
    assert "an EDL has no sizes, so pictures stand as they are: shot a" in capsys.readouterr().err
    root = ET.parse(tmp_path / "cut.xml").getroot()
    form = root.find(".//sequence/media/video/format/samplecharacteristics")
    assert form is not None
    assert (form.findtext("width"), form.findtext("height")) == ("180", "180")
    values = {one.findtext("parameterid"): one for one in root.iter("parameter")}
    assert float(values["scale"].findtext("value") or 0) == pytest.approx(float(times) * 100, abs=0.5)
    assert float(values["center"].findtext("value/horiz") or 0) == pytest.approx(moved[0] / 180)
    cut = ET.parse(tmp_path / "cut.fcpxml").getroot()
    assert list(broken_rules(cut)) == []
    (transform,) = cut.iter("adjust-transform")
    across, up = map(float, (transform.get("position") or "").split())
    assert (across, up) == pytest.approx((moved[0] / 1.8, 0), abs=1e-3)
    assert (transform.get("scale") or "").split()[0] == scale
    clip = next(iter(timeline_of(tmp_path / "cut.otio").find_clips()))
    bounds = clip.media_reference.available_image_bounds
    middle = (bounds.min.x + bounds.max.x) / 2
    assert (middle, bounds.max.x - bounds.min.x) == pytest.approx((moved[0], 320 * float(times)), abs=1)


def test_captions_have_the_times_of_the_film_for_every_reader(
    export: Callable[..., Path], folder: Path
) -> None:
    seen = {}
    for ending in ("srt", "vtt"):
        export(f"film.{ending}")
        with av.open(str(folder / f"film.en.{ending}")) as file:
            seen[ending] = _cues(file)
    with av.open(str(folder / "out/films/everything/film.mp4")) as film:
        seen["mov_text"] = _cues(film)
    assert seen["srt"] == seen["vtt"] == seen["mov_text"] == [(0, 24), (66, 90)]


def _cues(file: av.container.InputContainer) -> list[tuple[int, int]]:
    track = file.streams.subtitles[0]
    found = []
    for packet in file.demux(track):
        if packet.size > 2 and packet.pts is not None and packet.duration:
            begins, ends = (float(at * packet.time_base) for at in (packet.pts, packet.pts + packet.duration))
            found.append((round(begins * 24), round(ends * 24)))
    return found


def test_the_shot_list_adds_up_to_the_film(export: Callable[..., Path]) -> None:
    with export("film.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["shot"] for row in rows] == ["a", "b", "c", "d", "e", "f", "g"]
    assert rows[-1]["ends_at"] == "00:00:09:06"
    assert [(row["speed"], row["hold"]) for row in rows[1:4]] == [
        ("0.5", "0.000"),
        ("2", "0.000"),
        ("1", "1.000"),
    ]


def test_the_contact_sheet_shows_the_pictures_of_the_film(export: Callable[..., Path]) -> None:
    data = export("film.pdf").read_bytes()
    (page,) = re.findall(rb"stream\s+(\xff\xd8.*?\xff\xd9)\s+endstream", data, re.DOTALL)
    pixels = np.asarray(Image.open(io.BytesIO(page)).convert("RGB"), int)
    assert pixels.shape == (1654, 2339, 3)
    red = (pixels[..., 0] > 180) & (pixels[..., 1] < 70)
    rows, columns = np.nonzero(red)
    wide, high = np.ptp(columns) + 1, np.ptp(rows) + 1
    assert wide / high == pytest.approx(2 * 16 / 9, abs=0.1), "the still, twice, in the shape of the film"
    row = pixels[(rows.min() + rows.max()) // 2]
    black = np.nonzero(row.max(1) < 8)[0]
    assert len(black) > high * (16 / 9 - 1) * 0.9 * 2, "the square footage beside it, between bars"


def test_programs_find_the_files_of_a_list_by_the_names_of_its_clips(
    export: Callable[..., Path], folder: Path
) -> None:
    """As OpenShot reads it, which takes them for files, and asks for the folder of those that it does not find."""
    (folder / "list").mkdir()
    path = export("list/film.edl", "--relative")
    names = re.findall(r"[*][ ]+FROM CLIP NAME:[ ]+(.*)", path.read_text(encoding="utf-8"))
    assert len(names) == 8
    assert all((path.parent / "film-media" / name).is_file() for name in names)
    assert re.findall(r"COMMENT: (.*)", path.read_text(encoding="utf-8")) == [
        f"Shot {shot}" for shot in "abcddefg"
    ]
    track = otio.adapters.read_from_file(str(path), rate=24).video_tracks()[0]
    assert all((path.parent / clip.media_reference.target_url).is_file() for clip in track.find_clips())
    plain = export("film.edl").read_text(encoding="utf-8")
    assert re.findall(r"FROM CLIP NAME: (.*)", plain)[:2] == ["Shot a", "Shot a"]


def test_what_a_format_cannot_say_is_told(
    export: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    told = {}
    for ending in ("otio", "xml", "fcpxml", "edl", "csv"):
        export(f"told.{ending}")
        told[ending] = " ".join(capsys.readouterr().err.split())
    assert "cross dissolve" not in told["fcpxml"]
    assert "an EDL has no word for a wipe that runs backwards, so it runs forwards: shot c" in told["edl"]
    assert "titles are markers: shot d" in told["otio"]
    assert "cross dissolve" not in told["xml"]
    assert told["csv"] == ""


def test_a_final_cut_project_has_the_wipes_of_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the ids that its own exports have; what no such export shows is a dissolve, and told."""
    kinds = ("wipeup", "smoothright", "coverdown", "radial", "fadeblack", "slideleft", "fadewhite")
    shots = [f"      - {{id: {kind}, clip: own.mp4, cut: {kind} 0.25}}" for kind in kinds]
    text = "\n".join(["    title: Everything", "    shots:", "      - {id: a, clip: own.mp4}", *shots])
    plan = made_film(tmp_path, text, own=(48, 24))
    out = tmp_path / "cut.fcpxml"
    capsys.readouterr()
    assert main(["export", plan.path, str(out), "--root", str(tmp_path / "out")]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "is a cross dissolve: shots slideleft (slideleft), fadewhite (fadewhite)" in told
    root = ET.parse(out).getroot()
    assert list(broken_rules(root)) == []
    effects = {one.get("id"): one for one in root.iter("effect")}
    found = []
    for transition in root.iter("transition"):
        effect = transition.find("filter-video")
        assert effect is not None
        uid = effects[effect.get("ref")].get("uid", "")
        parameters = " ".join(f"{one.get('key')}={one.get('value')}" for one in effect.iter("param"))
        found.append((transition.get("name"), uid.removeprefix("FxPlug:")[:8], parameters))
    assert found == [
        ("Wipe", "857E2FBA", "13=1"),
        ("Wipe", "857E2FBA", "13=2"),
        ("Slide", "6AAB0D54", "5=0 4=3"),
        ("Clock", "B2C3F87B", ""),
        ("Fade To Color", "F779C565", ""),
        ("slideleft", "4731E73A", ""),
        ("fadewhite", "4731E73A", ""),
    ]


def test_a_bed_is_quieter_under_a_voice_in_every_format(export: Callable[..., Path]) -> None:
    project, sequence = (ET.parse(export(f"film.{ending}")).getroot() for ending in ("fcpxml", "xml"))
    bed = next(one for one in project.iter("asset-clip") if one.get("name") == "bed.wav")
    points = [(round(time_of(key, "time") * 24), key.get("value")) for key in bed.iter("keyframe")]
    assert points == [(0, "-96dB"), (12, "-6dB"), (23, "-6dB"), (30, "-18dB"), (48, "-18dB")]
    item = next(one for one in sequence.iter("clipitem") if one.findtext("name") == "bed.wav")
    levels = [(int(key.findtext("when") or -1), key.findtext("value")) for key in item.iter("keyframe")]
    assert levels == [(0, "0.00000"), (12, "0.50119"), (23, "0.50119"), (30, "0.12589"), (48, "0.12589")]


def test_a_hold_that_a_transition_crosses_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """\
    title: Everything
    shots:
      - {id: d, action: Wind., trim: 1.., hold: 0.25}
      - {id: x, action: Hail., cut: circleopen 0.5}
    """
    plan = made_film(tmp_path, text)
    for ending, told in (("otio", True), ("fcpxml", False)):
        out = tmp_path / f"cut.{ending}"
        assert main(["export", plan.path, str(out), "--root", str(tmp_path / "out")]) == 0
        assert ("a transition lies over the beginning of a held frame" in capsys.readouterr().err) is told
        assert list(unlike(tmp_path / "out/films/everything/film.mp4", {
            frame: seen for frame, seen in shown_by(out, plan).items() if frame < 18
        })) == []  # fmt: skip


CHAIN = """\
    title: Everything
    shots:
      - {id: a, action: Rain.}
      - {id: b, action: Sun.}
      - {id: c, action: Snow., ease: 3, speed: 0.5, trim: ..1}
      - {id: d, action: Wind., cut: fade 0.125, speed: 0.8, hold: 0.5}
      - {id: x, action: Hail., cut: coverleft 0.3}
    """


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30_000, 1001)])
def test_chains_and_other_rates_are_exact_too(tmp_path: Path, fps: Fraction) -> None:
    plan = made_film(tmp_path, CHAIN, fps=fps)
    film = tmp_path / "out/films/everything/film.mp4"
    for ending in ("otio", "xml", "fcpxml", "edl"):
        out = tmp_path / f"cut.{ending}"
        assert main(["export", plan.path, str(out), "--root", str(tmp_path / "out")]) == 0
        shown = shown_by(out, plan, fps)
        assert max(shown) + 1 == len(Pictures().all(str(film)))
        del shown[47]  # shows what b begins with, and b is copied from there; here they differ
        slowed = {path_of(seen.file) for frame, seen in shown.items() if 170 < frame < 220}
        assert list(unlike(film, shown, frozenset(slowed))) == [], ending
    assert list(broken_rules(ET.parse(tmp_path / "cut.fcpxml").getroot())) == []


def test_nothing_is_taken_from_behind_the_end_of_a_file(tmp_path: Path) -> None:
    """Footage of 1.32 seconds is 32 frames of a film at 24, which is a little more; no program lets that pass."""
    text = """\
    title: Whole
    shots: [{id: a, action: Rain.}, {id: e, clip: own.mp4, cut: fade 0.2}, {id: b, action: Sun., cut: true}]
    """
    plan = made_film(tmp_path, text, own=(33, 25))
    for ending in ("otio", "fcpxml"):
        assert (
            main(["export", plan.path, str(tmp_path / f"cut.{ending}"), "--root", str(tmp_path / "out")]) == 0
        )
    for clip in timeline_of(tmp_path / "cut.otio").video_tracks()[0].find_clips():
        there, taken = clip.media_reference.available_range, clip.source_range
        assert taken.end_time_exclusive() <= there.end_time_exclusive()
    root = ET.parse(tmp_path / "cut.fcpxml").getroot()
    there = {asset.get("id"): time_of(asset, "duration") for asset in root.iter("asset")}
    for clip in root.iter("asset-clip"):
        assert time_of(clip, "start") + time_of(clip, "duration") <= there[clip.get("ref")]
