"""What a film does where a shot goes on from the last picture of the one before: colours, and a movement's rest."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minimax_tasks.errors import BoardError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.film import FilmMaker
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.seam import measure_seam
from tests.decoded import pictures_in
from tests.storyboard.boards import write_board
from tests.storyboard.test_trims import numbers
from tests.video.conftest import written_clip
from tests.video.test_film_sound import beeps, flashes, loud_clip

SIZE = (160, 90)


def board(folder: Path, top: str = "", *shots: str) -> str:
    lines = "".join(
        f"      - {{id: {name}, action: Rain.{keys and f', {keys}'}}}\n"
        for name, keys in zip("abc", shots, strict=False)
    )
    return write_board(folder, f"    title: Seams\n{top}    shots:\n{lines}")


def film_of(path: str, clips: list[str]) -> Path:
    folder = Path(path).parent
    root = Storage(str(folder / "out"))
    plan = make_plan(path, root=root.url, language="en")
    for shot, clip in zip(plan.shots, clips, strict=True):
        root.put(Path(clip), f"clips/{shot.picked.key}/video.mp4")
    FilmMaker(root, plan).make()
    return folder / "out/films/seams/film.mp4"


def scene(drift: float):  # type: ignore[no-untyped-def]
    """A gradient with a moving bar; `drift` makes it brighter, greyer and warmer, as models do."""

    def picture(number: int, size: tuple[int, int]) -> Image.Image:
        width, height = size
        across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        pixels = np.stack([60 + 120 * across, 40 + 100 * down, 150 - 90 * across * down], axis=-1)
        pixels[:, number * 2 : number * 2 + 10] = (200, 60, 40)
        grey = pixels.mean(axis=-1, keepdims=True)
        pixels = grey + (pixels - grey) * (1 - 0.15 * drift)
        pixels = pixels * (1 - 0.06 * drift) + np.array([14.0, 8.0, 2.0]) * drift
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))

    return picture


@pytest.fixture
def chain(tmp_path: Path) -> list[str]:
    """Three clips; each goes on from the last picture of the one before, and drifts away from it."""
    return [
        written_clip(
            tmp_path / f"{number}.mp4",
            24,
            size=SIZE,
            first=23 * number,
            picture=scene(number),
            options={"crf": "10"},
        )
        for number in range(3)
    ]


def pictures(path: Path) -> list[Image.Image]:
    return list(pictures_in(path))


def means(picture: Image.Image) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(picture, np.float32).mean(axis=(0, 1))


def steps(path: Path) -> list[float]:
    """How far the colours jump at the two seams, in levels of 255."""
    found = pictures(path)
    assert len(found) == 70
    return [
        max(float(np.abs(means(found[at]) - means(found[at - 1])).max()) for at in (seam - 1, seam))
        for seam in (24, 47)
    ]


def test_matched_colours_make_a_seam_better_by_the_numbers_that_are_shown(
    tmp_path: Path, chain: list[str]
) -> None:
    plain = film_of(board(tmp_path, "", "", "", ""), chain)
    before, raw = pictures(plain), steps(plain)
    assert min(raw) > 4
    # A copied film shows the frame that both clips have as the second one has it.
    seen = [(before[22], before[23])]
    matched = film_of(board(tmp_path, "    grade: match\n", "", "", "grade: off"), chain)
    assert steps(matched)[0] < 1
    after = pictures(matched)
    seen.append((after[23], after[24]))
    seams = [measure_seam(*pair) for pair in seen]
    assert seams[1].psnr > seams[0].psnr + 1, "the bar moves between them"
    assert abs(seams[1].luma) < abs(seams[0].luma) / 3
    assert abs(1 - seams[1].saturation) < abs(1 - seams[0].saturation)
    (note,) = json.loads(matched.with_name("manifest.json").read_text())["notes"]
    assert note.startswith("the colours of Shot b are matched to Shot a: their seam goes from ")
    worse, better = map(float, re.findall(r"[0-9]+\.[0-9]", note))
    assert better > worse + 6, "of the picture that both show"
    jumps = [
        float(np.abs(means(one) - means(two)).max())
        for one, two in zip(after[25:46], after[24:45], strict=True)
    ]
    assert max(jumps) < 1, "one curve for the whole clip: nothing flickers"
    assert len(np.unique(np.asarray(after[30].convert("L")))) > 0.8 * len(
        np.unique(np.asarray(before[30].convert("L")))
    ), "no bands"


def test_a_chain_is_matched_to_its_beginning(tmp_path: Path, chain: list[str]) -> None:
    chained = film_of(board(tmp_path, "    grade: chain\n", "", "", ""), chain)
    assert max(steps(chained)) < 1
    matched = film_of(board(tmp_path, "    grade: match\n", "", "", ""), chain)
    assert steps(matched)[1] > 3, "the second is matched to the first, the third to the second as it was made"


def test_the_report_measures_the_seam_that_the_film_has(tmp_path: Path, chain: list[str]) -> None:
    def told(grade: str) -> list[tuple[float, float]]:
        """Of both seams: decibels, and the change of brightness."""
        film = film_of(board(tmp_path, f"    grade: {grade}\n", "", "", ""), chain)
        page = film.with_name("report.html").read_text(encoding="utf-8")
        decibels = re.findall(r"</span>, ([0-9.]+) dB", page)
        luma = re.findall(r"<span>luma ([^<]+)</span>", page)
        return [(float(one), float(two.strip("+±−-"))) for one, two in zip(decibels, luma, strict=True)]

    plain, matched, chained = (told(grade) for grade in ("off", "match", "chain"))
    assert len(plain) == 2
    assert matched[0][0] > plain[0][0] + 6
    assert matched[0][1] < 1 < 4 < plain[0][1]
    assert matched[1][1] > 3, "to the clip as it was made, and the film shows that clip as it is matched"
    assert max(luma for _, luma in chained) < 1


@pytest.mark.parametrize(
    ("keys", "last", "first"),
    [(("trim: ..0.5", ""), 11, 0), (("", "trim: 0.25.."), 23, 6), (("", "ease: 4"), 19, 5)],
)
def test_the_report_measures_the_frames_that_meet_in_the_film(
    tmp_path: Path, chain: list[str], keys: tuple[str, str], last: int, first: int
) -> None:
    film = film_of(board(tmp_path, "", *keys), chain[:2])
    page = film.with_name("report.html").read_text(encoding="utf-8")
    (told,) = map(float, re.findall(r"</span>, ([0-9.]+) dB", page))
    one, two = (pictures(Path(clip)) for clip in chain[:2])
    assert told == pytest.approx(measure_seam(one[last], two[first]).psnr, abs=0.3)
    assert told != pytest.approx(measure_seam(one[-1], two[0]).psnr, abs=0.3)


def test_the_report_tells_a_movement_from_a_jump(tmp_path: Path) -> None:
    """A bar moves on at a seam where nothing else changes; where a clip begins elsewhere, or in other colours, it jumps."""

    def steps(one: str, two: str, keys: str = "") -> float:
        folder = tmp_path / f"{Path(two).stem} {keys}"
        folder.mkdir()
        page = film_of(board(folder, "", "", keys), [one, two]).with_name("report.html")
        (found,) = re.findall(r">step × ([0-9.]+)<", page.read_text(encoding="utf-8"))
        return float(found)

    def clip(name: str, first: int, drift: float = 0, **options: str) -> str:
        path = tmp_path / f"{name}.mp4"
        return written_clip(
            path, 24, size=SIZE, first=first, picture=scene(drift), options={"crf": "10", **options}
        )

    one = clip("one", 0)
    assert steps(one, clip("on", 23)) == pytest.approx(1, abs=0.25)
    assert steps(clip("keys", 0, g="1"), clip("keyed", 23, g="1")) == pytest.approx(1, abs=0.25)
    assert steps(one, clip("ahead", 35)) > 2
    assert steps(one, clip("drifted", 23, 1)) > 2
    assert steps(one, clip("eased", 23), "ease: 4") > 2, "eight frames are left out"


def test_pictures_that_agree_are_copied_and_a_cut_is_left_alone(tmp_path: Path) -> None:
    clips = [
        written_clip(tmp_path / f"{number}.mp4", 24, size=SIZE, first=23 * number, picture=scene(0))
        for number in range(2)
    ]
    film = film_of(board(tmp_path, "    grade: match\n", "", ""), clips)
    assert json.loads(film.with_name("manifest.json").read_text())["joined"] == "copy"
    other = written_clip(tmp_path / "other.mp4", 24, size=SIZE, picture=scene(2))
    film = film_of(board(tmp_path, "    grade: match\n", "", "cut: true"), [clips[0], other])
    assert json.loads(film.with_name("manifest.json").read_text())["joined"] == "copy"


def test_ease_leaves_out_what_hesitates(tmp_path: Path) -> None:
    clips = [written_clip(tmp_path / f"{number}.mp4", 24, first=23 * number) for number in range(2)]
    film = film_of(board(tmp_path, "", "", "ease: 4"), clips)
    assert numbers(film) == [*range(20), *range(28, 47)]
    shots = json.loads(film.with_name("manifest.json").read_text())["shots"]
    assert shots[1]["starts_at"] == pytest.approx(20 / 24, abs=1e-4)
    film = film_of(board(tmp_path, "", "hold: 0.5", "ease: 4"), clips)
    assert numbers(film) == [*range(24), *[23] * 12, *range(24, 47)]
    film = film_of(board(tmp_path, "", "", "trim: ..0.25, ease: 24"), clips)
    assert numbers(film) == [*range(20), 28], "a frame of each stays"


def test_sound_stays_with_its_pictures_where_frames_are_left_out(tmp_path: Path) -> None:
    clips = [loud_clip(tmp_path / f"{number}.mp4") for number in range(2)]
    film = film_of(board(tmp_path, "", "", "ease: 3"), clips)
    seen, listened = flashes(film), beeps(film)
    beginnings = [seen[0], next(time for time in seen if time - seen[0] > 0.5)]
    assert beginnings == pytest.approx(listened[:1] + listened[-1:], abs=1.5 / 24)


@pytest.mark.parametrize(
    ("shot", "told"),
    [
        ("grade: warm", "grade = 'warm'; allowed: off, match or chain"),
        ("ease: 40", "ease = 40; allowed: a whole number of frames from 0 to 24"),
        ("ease: 0.5", "ease = 0.5; allowed: a whole number of frames from 0 to 24"),
    ],
)
def test_what_is_no_seam_is_told(tmp_path: Path, shot: str, told: str) -> None:
    with pytest.raises(BoardError) as raised:
        make_plan(board(tmp_path, "", "", shot), root="out", language="en")
    assert told in str(raised.value)
