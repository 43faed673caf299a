"""A film's folder: whose it is, and what a kill or another run may leave in it."""

import asyncio
import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from minimax_tasks import BoardError, RenderStoryboard, build
from minimax_tasks.clips.belonging import place_of
from minimax_tasks.commands.main import main
from minimax_tasks.sandbox import Sandbox
from minimax_tasks.storage import publication
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard import film
from minimax_tasks.storyboard.film import FilmMaker, is_current, take_film_folder
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.make import make_plan
from minimax_tasks.video.probe import probe
from minimax_tasks.video.slate import write_slate
from tests import odd_disk
from tests.dying import Killed, killed_at, operations_below
from tests.storyboard.boards import write_board

pytestmark = pytest.mark.slow

TEXT = "title: {title}\nshots:\n{shots}"
SHOT = '  - {{id: "{id}", cut: true, action: "{action}"}}\n'


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "PAUSE", 0.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_slate(str(path), (64, 36), Fraction(24), 0.25, "x", ())
    return path


def board(path: Path, *actions: str, title: str = "Same") -> str:
    shots = "".join(SHOT.format(id=f"{number:03}", action=action) for number, action in enumerate(actions))
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_board(path.parent, TEXT.format(title=title, shots=shots), path.name)


def plan_of(path: str, root: Storage, clip: Path, name: str = "") -> Plan:
    """A plan whose clips are made: the same tiny one for each."""
    plan = replace(make_plan(path, root=root.url, language="en"), name=name)
    for segment in plan.segments:
        if not root.exists(f"clips/{segment.key}/video.mp4"):
            root.put(clip, f"clips/{segment.key}/video.mp4")
    return plan


def bring(root: Storage, plan: Plan) -> None:
    """What a run does once the clips are there."""
    if not is_current(root, plan):
        FilmMaker(root, plan).make()


def check(root: Storage, plan: Plan, folder: str = "films/same") -> None:
    assert is_current(root, plan)
    manifest = json.loads(root.read(f"{folder}/manifest.json"))
    assert [shot["clip"] for shot in manifest["shots"]] == [shot.picked.key for shot in plan.shots]
    made = probe(root.path(f"{folder}/film.mp4"), "decode")
    assert made.ok
    assert made.frames == manifest["frames"] == 6 * len(plan.shots)
    page = root.read(f"{folder}/report.html").decode()
    assert all((shot.shot.action or "") in page for shot in plan.shots)


@pytest.mark.parametrize("disk", odd_disk.DISKS)
def test_a_kill_at_every_file_operation(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, disk: str
) -> None:
    """Board one, edited, killed in the middle of the film, and back to the first text, as after git checkout."""
    odd_disk.choose(monkeypatch, tmp_path, disk)
    root = Storage(str(tmp_path / "out"))
    path = board(tmp_path / "b.yaml", "Rain.")
    one = plan_of(path, root, clip)
    bring(root, one)
    two = plan_of(board(tmp_path / "b.yaml", "Rain.", "Sun shines."), root, clip)
    bring(root, two)
    points = 0
    for number in itertools.count(1):
        bring(root, one)
        try:
            with operations_below(root.path("films"), killed_at(number)):
                bring(root, two)
        except Killed:
            points += 1
        else:
            break
        for plan in (one, two) if number % 2 else (two, one):
            bring(root, plan)
            check(root, plan)
    assert points > 15


def test_two_boards_never_share_a_folder(
    sandbox: Sandbox, tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = board(tmp_path / "a/film.yaml", "Rain."), board(tmp_path / "b/film.yaml", "Sun.")
    assert main(["render", one, "--root", "out"]) == 0
    before = Path("out/films/same/film.mp4").read_bytes()
    capsys.readouterr()
    for command in ("plan", "render"):
        assert main([command, other, "--root", "out"]) == 2
        said = capsys.readouterr().err
        assert one in said
        assert "--name NAME" in said
        assert "Traceback" not in said
    assert not build([RenderStoryboard(storyboard=other, root="out")])
    assert len(sandbox.ledger()) == 1, "nothing was paid for the second"
    assert Path("out/films/same/film.mp4").read_bytes() == before
    assert main(["plan", other, "--root", "out", "--name", "Same 2"]) == 0
    assert main(["render", other, "--root", "out", "--name", "Same 2"]) == 0
    assert "out/films/same-2/film.mp4" in capsys.readouterr().out
    assert RenderStoryboard(storyboard=other, root="out", name="Same 2").complete()
    assert main(["render", one, "--root", "out"]) == 0
    assert len(sandbox.ledger()) == 2
    assert not [path for path in Path("out/films").rglob("*") if path.name.endswith(".part")]


def test_a_board_with_another_title_is_rendered_again_in_the_same_process(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = board(tmp_path / "film.yaml", "Rain.", title="Summer")
    assert build([RenderStoryboard(storyboard=path, root="out")])
    board(tmp_path / "film.yaml", "Rain.", title="High Summer")
    task = RenderStoryboard(storyboard=path, root="out")
    assert build([task])
    assert task.output()["film"].path == "out/films/high-summer/film.mp4"
    assert Path("out/films/summer/film.mp4").exists()
    assert task.complete()
    assert len(sandbox.ledger()) == 1, "the clip is the same"


def test_the_first_of_two_has_the_folder_before_anything_is_made(tmp_path: Path, clip: Path) -> None:
    root = Storage(str(tmp_path / "out"))
    one = plan_of(board(tmp_path / "one.yaml", "Rain.", title="Summer Film"), root, clip)
    other = plan_of(board(tmp_path / "other.yaml", "Sun.", title="'Summer: film!'"), root, clip)
    take_film_folder(root, one)
    for ask in (film.check_film_is_own, take_film_folder, lambda *given: FilmMaker(*given).make()):
        with pytest.raises(BoardError, match=r"one\.yaml"):
            ask(root, other)
    take_film_folder(root, one)


def test_the_same_board_however_it_is_called(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Storage(str(tmp_path / "out"))
    path = board(tmp_path / "p/film.yaml", "Rain.")
    bring(root, plan_of(path, root, clip))
    (tmp_path / "link").symlink_to(tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    for spelling in ("film.yaml", "../p/./film.yaml", str(tmp_path / "link/film.yaml"), f"file://{path}"):
        film.check_film_is_own(root, replace(make_plan(path, root=root.url, language="en"), path=spelling))
    assert place_of("https://user:pw@h/a/../b.yaml?sig=1#x") == "https://h/b.yaml"
    assert place_of("S3://bucket//a/b.yaml") == "s3://bucket/a/b.yaml"


def move_all(tmp_path: Path) -> Path:
    shutil.move(tmp_path / "p", tmp_path / "q")
    return tmp_path / "q/film.yaml"


def move_board(tmp_path: Path) -> Path:
    return Path(shutil.move(tmp_path / "p/film.yaml", tmp_path / "film.yaml"))


def copy_all(tmp_path: Path) -> Path:
    shutil.copytree(tmp_path / "p", tmp_path / "q")
    return tmp_path / "q/film.yaml"


@pytest.mark.parametrize("move", [move_all, move_board, copy_all])
def test_a_project_that_was_moved_keeps_its_film(
    tmp_path: Path, clip: Path, move: Callable[[Path], Path]
) -> None:
    root = Storage(str(tmp_path / "p/out"))
    bring(root, plan_of(board(tmp_path / "p/film.yaml", "Rain."), root, clip))
    path = move(tmp_path)
    root = Storage(str((path.parent if (path.parent / "out").exists() else tmp_path / "p") / "out"))
    plan = plan_of(str(path), root, clip)
    take_film_folder(root, plan)
    assert is_current(root, plan)
    other = plan_of(board(tmp_path / "z/film.yaml", "Sun."), root, clip)
    with pytest.raises(BoardError):
        take_film_folder(root, other)
    path.unlink()
    with pytest.raises(BoardError):
        take_film_folder(root, other)


def test_a_folder_that_was_made_before_folders_had_owners(tmp_path: Path, clip: Path) -> None:
    root = Storage(str(tmp_path / "out"))
    title = "Cafe\u0301 noir"
    plan = plan_of(board(tmp_path / "b.yaml", "Rain.", title=title), root, clip)
    bring(root, plan)
    made, former = tmp_path / "out/films/caf\u00e9-noir", tmp_path / "out/films/cafe-noir"
    made.rename(former)
    (former / ".made-from.json").unlink()
    manifest = json.loads((former / "manifest.json").read_text())
    del manifest["files"]
    (former / "manifest.json").write_text(json.dumps(manifest | {"board": "b.yaml"}))
    bring(root, plan)
    check(root, plan, "films/cafe-noir")
    assert not made.exists()
    task = RenderStoryboard(storyboard=str(tmp_path / "b.yaml"), root=root.url)
    assert task.output()["film"].path.endswith("films/cafe-noir/film.mp4")
    other = plan_of(board(tmp_path / "o/c.yaml", "Sun.", title="Cafe noir"), root, clip)
    with pytest.raises(BoardError, match=r"b\.yaml"):
        take_film_folder(root, other)


def test_the_report_of_a_partial_film_is_not_that_of_the_whole(tmp_path: Path, clip: Path) -> None:
    root = Storage(str(tmp_path / "out"))
    one = plan_of(board(tmp_path / "b.yaml", "Rain."), root, clip)
    bring(root, one)
    two = make_plan(board(tmp_path / "b.yaml", "Rain.", "Sun."), root=root.url, language="en")
    FilmMaker(root, two).make_partial({}, film=True)
    assert "film.partial.mp4" in root.names("films/same")
    assert not is_current(root, one), "the page beside the film is not its own"
    bring(root, one)
    check(root, one)
    assert set(root.names("films/same")) == {"film.mp4", "report.html", "manifest.json", ".made-from.json"}


def test_two_boards_at_once(tmp_path: Path, clip: Path) -> None:
    """Of two first runs with one title one learns that the folder is taken, and the film is the other's."""
    root = Storage(str(tmp_path / "out"))
    plans = [plan_of(board(tmp_path / f"{n}/b.yaml", f"Rain {n}."), root, clip) for n in range(2)]

    async def race() -> list[object]:
        makes = (asyncio.to_thread(FilmMaker(root, plan).make) for plan in plans)
        return list(await asyncio.gather(*makes, return_exceptions=True))

    ends = asyncio.run(race())
    assert sorted(type(end).__name__ for end in ends) == ["BoardError", "NoneType"]
    check(root, plans[ends.index(None)])


def test_the_same_board_in_two_runs_at_once(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "PAUSE", 0.1)  # without any, two writers can meet each time
    root = Storage(str(tmp_path / "out"))
    path = tmp_path / "b.yaml"
    plans = [plan_of(board(path, *["Rain."] * (n + 1)), root, clip) for n in range(2)]

    async def race() -> None:
        await asyncio.gather(*(asyncio.to_thread(FilmMaker(root, plan).make) for plan in plans))

    for _ in range(3):
        asyncio.run(race())
        check(root, next(plan for plan in plans if is_current(root, plan)))
