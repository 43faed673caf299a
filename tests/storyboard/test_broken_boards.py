"""Mistakes in a board: all at once, with file, line, shot and what would be right."""

from pathlib import Path

import pytest

from minimax_tasks import BoardError
from minimax_tasks.storyboard.planning.make import make_plan
from tests.conftest import Picture
from tests.storyboard.boards import write_board

HEAD = """\
title: Broken
defaults: {model: MiniMax-Hailuo-02, resolution: 768P, seconds: 6}
cast: {mara: {desc: a woman}}
frames: {pier: pier.png, tiny: tiny.png, gone: gone.png, page: page.png, wide: wide.png}
shots:
"""

CASES = {
    "trim that is none": ("  - id: a\n    trim: 1-2\n", 7, "trim = '1-2'; allowed: from..to in seconds"),
    "trim after the end": (
        "  - id: a\n    action: x\n    trim: 7..\n",
        8,
        "trim = 7..: the clip of shot a has 6 s",
    ),
    "trim that leaves nothing": (
        "  - id: a\n    action: x\n    trim: 3..2\n",
        8,
        "trim = 3..2: the clip of shot a",
    ),
    "speed of nothing": (
        "  - id: a\n    action: x\n    speed: 0\n",
        8,
        "speed = 0; allowed: a number from 0.1 to 10",
    ),
    "sound of another kind": (
        "  - id: a\n    action: x\n    sound: loud\n",
        8,
        "allowed: keep, drop, or a volume",
    ),
    "unknown key": ("  - id: a\n    camrea: push in\n", 7, "unknown key 'camrea'; did you mean 'camera'?"),
    "octal id": (
        "  - id: 010\n    action: x\n",
        6,
        'id: 010 is read as 8 by YAML; write it in quotes: id: "010"',
    ),
    "boolean text": ("  - id: a\n    action: no\n", 7, 'write it in quotes: action: "no"'),
    "sexagesimal text": ("  - id: a\n    notes: 1:30\n", 7, 'write it in quotes: notes: "1:30"'),
    "missing picture": ("  - id: a\n    from: gone\n", 4, "picture gone (gone.png): there is no such file"),
    "small picture": (
        "  - id: a\n    from: tiny\n",
        4,
        "too small, 280 x 200 px; allowed: a short side over 300 px",
    ),
    "wide picture": ("  - id: a\n    from: wide\n", 4, "allowed: an aspect ratio from 2:5 to 5:2"),
    "no picture": ("  - id: a\n    from: page\n", 4, "it is not a picture"),
    "model without start-end": (
        "  - id: a\n    from: pier\n    to: pier\n    model: MiniMax-Hailuo-2.3\n",
        9,
        "it cannot make a shot with `to` (start-end frames); allowed: MiniMax-Hailuo-02",
    ),
    "model without pictures": (
        "  - id: a\n    action: x\n  - id: b\n    model: T2V-01\n    resolution: 720P\n",
        9,
        "or write `cut: true`",
    ),
    "unknown model": (
        "  - id: a\n    action: x\n    model: Hailuo-2.3\n",
        8,
        "model = Hailuo-2.3: there is no such model; did you mean MiniMax-Hailuo-2.3? Allowed: MiniMax-Hailuo-2.3",
    ),
    "resolution without its P": (
        "  - id: a\n    action: x\n    resolution: 768\n",
        8,
        "resolution = 768; allowed: a size such as 768P or 1080P",
    ),
    "camera as a number": (
        "  - id: a\n    action: x\n    camera: 3\n",
        8,
        "camera = 3; allowed: moves such as",
    ),
    "transition as a number": (
        "  - id: a\n    action: x\n    cut: 5\n",
        8,
        "cut = 5; allowed: true, or a transition",
    ),
    "transition too short to be seen": (
        "  - id: a\n    action: x\n  - id: b\n    action: x\n    cut: fade 0.01\n",
        10,
        "allowed: fade with its seconds, 0.1 to 5, such as fade 0.5",
    ),
    "nearly continue": (
        "  - id: a\n    action: x\n  - id: b\n    action: x\n    continue: stil\n",
        10,
        "continue = 'stil'; did you mean 'still'? allowed: frame, still",
    ),
    "default that a model cannot": (
        "  - id: a\n    action: x\n    model: T2V-01\n",
        2,
        "from the board's defaults; write resolution in the shot",
    ),
    "seconds": ("  - id: a\n    action: x\n    seconds: 7\n", 8, "allowed: 6, 10"),
    "seconds as text": ("  - id: a\n    seconds: six\n", 7, "a whole number such as 6 or 10"),
    "resolution": ("  - id: a\n    action: x\n    resolution: 4K\n", 8, "allowed: 512P, 768P, 1080P"),
    "contradiction": ("  - id: a\n    action: x\n    camera: push in, pull out\n", 8, "one after the other"),
    "static with more": ("  - id: a\n    action: x\n    camera: static, push in\n", 8, "Static shot"),
    "unknown move": ("  - id: a\n    action: x\n    camera: push inn\n", 8, "did you mean Push in"),
    "unknown move in the prompt": ('  - id: a\n    prompt: "[Push out] x"\n', 7, "Pull out"),
    "transitions longer than the shot": (
        "".join(f"  - {{id: {name}, action: x, cut: fade 4}}\n" for name in "abc"),
        7,
        "shot b has 6 s, but its transitions take 8 s together",
    ),
    "frame beyond the end": (
        "  - {id: a, action: x}\n  - {id: b, from: a@99, action: x}\n",
        7,
        "from = 'a@99': shot a ends at 6 s; allowed: under 6",
    ),
    "a loop without end": (
        "  - {id: a, prompt: '{% for i in range(99999) %}x{% endfor %}'}\n",
        6,
        "it asks for too much: the number 99999; at most 50,000",
    ),
    "continues from nothing": (
        "  - {id: a, continue: frame, action: x}\n",
        6,
        "there is nothing to continue: this is the first shot",
    ),
    "cut in quotes": (
        "  - {id: a, action: x}\n  - {id: b, cut: 'true', action: x}\n",
        7,
        "allowed: true (without quotes), or one of",
    ),
    "unknown template": ("  - id: a\n    template: establshing\n", 7, "did you mean 'establishing'"),
    "undefined value": ('  - id: a\n    action: x\n    prompt: "{{ actoin }}"\n', 8, "did you mean 'action'"),
    "template and prompt": ("  - id: a\n    template: plain\n    prompt: x\n", 8, "not both"),
    "unknown frame": ("  - id: a\n    from: peir\n", 7, "did you mean 'pier'?"),
    "unknown character": ("  - id: a\n    action: x\n    characters: [maria]\n", 8, "did you mean 'mara'?"),
    "pick": ("  - id: a\n    action: x\n    takes: 2\n    pick: 3\n", 9, "allowed: 1 to 2"),
    "transition": (
        "  - id: a\n    action: x\n  - id: b\n    action: x\n    cut: fad 0.5\n",
        10,
        "did you mean fade 0.5",
    ),
    "transition seconds": (
        "  - id: a\n    action: x\n  - id: b\n    cut: fade long\n    action: x\n",
        9,
        "fade 0.5",
    ),
    "id twice": ("  - id: a\n    action: x\n  - id: a\n    action: y\n", 8, "taken by the shot in line 6"),
    "no id": ("  - action: x\n", 6, "a shot needs 'id'"),
    "key twice": ("  - id: a\n    action: x\n    action: y\n", 8, "stands here twice"),
    "to without a start": ("  - id: a\n    to: pier\n", 7, "`to` needs a start"),
    "subject with frames": ("  - id: a\n    subject: pier\n    from: pier\n", 7, "takes no `from`"),
    "too long": (f"  - id: a\n    prompt: {'x' * 2001}\n", 7, "2000"),
    "comma in braces": (
        "  - {id: a, action: x, camera: push in, tilt up}\n",
        6,
        "'tilt up' has no value: inside {…} a comma ends the value before it; write camera: \"push in, tilt up\"",
    ),
    "commas in braces": (
        "  - {id: a, action: 'x', camera: push in, tilt up, shake, pan left}\n",
        6,
        "'tilt up', 'shake', 'pan left' have no value: inside {…} a comma ends the value before it; write "
        'camera: "push in, tilt up, shake, pan left"',
    ),
    "a sentence in braces": (
        "  - {id: a, action: Rain, wind and salt.}\n",
        6,
        'write action: "Rain, wind and salt."',
    ),
    "a known key behind a comma": (
        "  - {id: a, action: Look, to, the sea}\n",
        6,
        "'to', 'the sea' have no value: inside {…} a comma ends the value before it; write action: \"Look, to, the sea\"",
    ),
    "a comma in vars": ("  - {id: a, action: x, vars: {w: one, two}}\n", 6, 'write w: "one, two"'),
    "a colon in braces": (
        "  - {id: a, dialogue: Wait: who is there?, action: x}\n",
        6,
        'dialogue: inside {…} a colon ends a text; write it in quotes: dialogue: "Wait: who is there?"',
    ),
    "a colon in a line": (
        "  - id: a\n    action: Wait: who?\n",
        7,
        'action: a colon with a space behind it ends a text; write it in quotes: action: "Wait: who?"',
    ),
    "another word": ("  - {id: a, action: x, duration: 6}\n", 6, "did you mean 'seconds'?"),
    "a key of the board": (
        "  - {id: a, action: x, look: Dawn.}\n",
        6,
        "unknown key 'look': it belongs to the board, next to `shots`.",
    ),
    "what is not there": ("  - {id: a, action: x, seed: 6}\n", 6, "the service takes no seed"),
    "a bad id": ("  - {id: 'a/b', action: x}\n", 6, "allowed: letters, digits and _, and behind the first"),
    "a shot that is gone": (
        "  - {id: '010', action: x}\n  - {id: '020', from: '005@2.5', action: x}\n",
        7,
        "from = '005@2.5': there is no shot '005'; shots: 010, 020",
    ),
    "the last frame of a shot that is gone": (
        "  - {id: '010', action: x}\n  - {id: '020', from: 005.last, action: x}\n",
        7,
        "from = '005.last': there is no shot '005'; shots: 010, 020",
    ),
    "a shot with a slip": (
        "  - {id: pier, action: x}\n  - {id: b, from: peir.first, action: x}\n",
        7,
        "did you mean 'pier",
    ),
    "continues a shot that is gone": (
        "  - {id: '010', action: x}\n  - {id: '020', continue: '005', action: x}\n",
        7,
        "continue = '005': there is no such shot; allowed: frame, still, out, or the id of another shot",
    ),
    **{
        f"no such place: {place}": (
            f"  - {{id: '010', action: x}}\n  - {{id: '020', from: '010{place}', action: x}}\n",
            7,
            f"from = '010{place}': shot 010 is there, but '{place}' is no place in it; {advice}",
        )
        for place, advice in (
            ("@-1", "did you mean '010.last'?"),
            ("@2,5", "did you mean '010@2.5'?"),
            ("@00:02", "did you mean '010@2'?"),
            (".middle", "allowed: 010.first, 010.last, or 010@2.5"),
            (".end", "did you mean '010.last'?"),
            ("@start", "did you mean '010.first'?"),
        )
    },
    "a shot without a place": (
        "  - {id: '010', action: x}\n  - {id: '020', from: '010', action: x}\n",
        7,
        "from = '010': this is a shot; write 010.first, 010.last, or 010@2.5",
    ),
    **{
        f"cut: {written}": (
            f"  - {{id: a, action: x}}\n  - {{id: b, action: x, cut: {written}}}\n",
            7,
            f"cut = '{written}': there is no such transition; did you mean {meant}? "
            "the table of transitions has them all",
        )
        for written, meant in (
            ("fade to black 1.0", "fadeblack 1.0"),
            ("fade to black", "fadeblack 0.5"),
            ("cross dissolve 1 s", "dissolve 1"),
            ("iris", "circleopen 0.5"),
            ("dip to white 9", "fadewhite 0.5"),
        )
    },
    "no prompt": ("  - id: a\n    cut: true\n    prompt: ''\n", 8, "needs one"),
}


@pytest.fixture
def stills(picture: Picture, tmp_path: Path) -> None:
    picture("pier.png")
    picture("tiny.png", size=(280, 200))
    picture("wide.png", size=(1200, 350))
    (tmp_path / "page.png").write_text("<html>")


def mistakes(path: str) -> tuple[str, ...]:
    with pytest.raises(BoardError) as refused:
        make_plan(path, root="root", language="en")
    return refused.value.problems


@pytest.mark.usefixtures("stills")
@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_told_with_file_line_shot_and_what_is_right(case: str, tmp_path: Path) -> None:
    shots, line, text = CASES[case]
    path = tmp_path / "board.yaml"
    path.write_text(HEAD + shots)
    found = mistakes(str(path))
    place = f"{path}:{line}: shot "
    assert any(
        told.startswith(place)
        or (
            told.startswith(f"{path}:{line}: ")
            and case in ("key twice", "a colon in braces", "a colon in a line")
        )
        for told in found
    ), found
    assert any(text in told for told in found), found
    assert len(found) == 1, found


@pytest.mark.usefixtures("stills")
def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    shots = "".join(
        CASES[case][0].replace("id: a", f'id: "s{number}"')
        for number, case in enumerate(
            ["unknown key", "missing picture", "small picture", "contradiction", "seconds"]
        )
    )
    (tmp_path / "board.yaml").write_text(HEAD + "  - id: 010\n    action: x\n" + shots)
    told = "\n".join(mistakes(str(tmp_path / "board.yaml")))
    for expected in ("camrea", "gone.png", "280 x 200", "one after the other", "allowed: 6, 10", "read as 8"):
        assert expected in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds none"),
        ("hello", "holds none"),
        ('title: "x\\u0000y"\nshots: [{id: a, prompt: x}]\n', ":1: the control character U+0000"),
        (
            "title: x\nshots: [{id: a, prompt: !!python/name:os.system x}]\n",
            ":2: this is not YAML: could not",
        ),
        ("[1, 2]", "holds none"),
        ("title: x\nshots:\n  - id: a\n   prompt: [b\n", "not YAML"),
        ("title: x\nshots: []\n", "at least one shot"),
        ("title: x\n", "needs 'shots'"),
        ("shots:\n  - {id: a, action: x}\n", "needs 'title'"),
        ("title: !!python/object/apply:os.system [ls]\nshots: []", "allowed: text"),
    ],
)
def test_files_that_are_no_board(tmp_path: Path, text: str, says: str) -> None:
    assert any(says in told for told in mistakes(write_board(tmp_path, text)))


def test_control_characters_from_other_programs(tmp_path: Path) -> None:
    (told,) = mistakes(write_board(tmp_path, "title: x\nshots:\n  - {id: a, prompt: 'soft\x0breturn'}\n"))
    assert "board.yaml:3: there is the control character U+000B" in told


def test_no_mistake_hides_another(tmp_path: Path, picture: Picture) -> None:
    picture("pier.png")
    text = HEAD + (
        "  - {id: a, action: x, seconds: 7, resolution: 4K}\n"
        "  - {id: b, cut: true, camera: push inn, prompt: '{{ nosuch }}'}\n"
        "  - {id: c, from: d.last, action: x}\n"
        "  - {id: d, from: c.last, action: x}\n"
        "  - {id: e, cut: true, prompt: ''}\n"
    )
    told = "\n".join(mistakes(write_board(tmp_path, text)))
    for part in (
        "6: shot a: resolution = 4K", "6: shot a: seconds = 7", "7: shot b: camera: unknown camera move",
        "7: shot b: prompt", "8: shot c: from: this shot waits for a frame of d", "10: shot e: prompt: text-to-video",
    ):  # fmt: skip
        assert part in told


def test_a_mistake_of_the_defaults_is_told_once(tmp_path: Path) -> None:
    text = "title: x\ndefaults: {resolution: 4K}\nshots:\n" + "".join(
        f"  - {{id: {name}, action: x, cut: true}}\n" for name in "abc"
    )
    (told,) = mistakes(write_board(tmp_path, text))
    assert "board.yaml:2: shots a, b, c: resolution = 4K (from the board's defaults" in told


def test_aliases_cannot_blow_up_the_memory(tmp_path: Path) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert any("too large" in told for told in mistakes(write_board(tmp_path, bomb)))


def test_a_board_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in mistakes(str(tmp_path / "none.yaml"))[0]
    assert "folder" in mistakes(str(tmp_path))[0]
    (tmp_path / "latin.yaml").write_bytes("title: Köln".encode("latin-1"))
    assert "UTF-8" in mistakes(str(tmp_path / "latin.yaml"))[0]


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ('{dsc: "a man"}', ["unknown key 'dsc'; did you mean 'desc'?", "bob in cast needs 'desc'"]),
        ("{}", ["bob in cast needs 'desc'"]),
        ("{desc: }", ["desc: there is nothing after the colon"]),
    ],
)
def test_an_incomplete_member_of_the_cast_hides_nothing_else(
    tmp_path: Path, member: str, says: list[str]
) -> None:
    board = write_board(
        tmp_path,
        f"title: X\ncast: {{bob: {member}}}\nshots: [{{id: a, prompt: x, characters: [bob], seconds: 7}}]\n",
    )
    with pytest.raises(BoardError) as told:
        make_plan(board, root="root", language="en")
    for text in says:
        assert f"board.yaml:2: {text}" in str(told.value)
    assert "board.yaml:3: shot a: seconds = 7" in str(told.value)
    assert len(told.value.problems) == len(says) + 1
