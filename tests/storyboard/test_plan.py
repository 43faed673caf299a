"""From shots to segments: what each is made from, waits for, costs, and how it joins."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from minimax_tasks import BoardError
from minimax_tasks.storyboard.board import Shot
from minimax_tasks.storyboard.board_own import OWN_KEYS
from minimax_tasks.storyboard.plan import Plan, PlannedShot
from minimax_tasks.storyboard.planning.make import make_plan
from tests.conftest import Picture
from tests.storyboard.boards import HARBOUR, write_board


@pytest.fixture
def harbour(tmp_path: Path, picture: Picture) -> str:
    picture("refs/pier.png", "teal")
    picture("refs/boat.png", "maroon")
    return write_board(tmp_path, HARBOUR)


def planned(path: str, language: str = "en") -> Plan:
    return make_plan(path, root="root", language=language)


def by_id(plan: Plan) -> dict[str, PlannedShot]:
    return {shot.shot.id: shot for shot in plan.shots}


def test_modes_models_and_takes(harbour: str) -> None:
    shots = by_id(planned(harbour))
    assert [str(s.picked.clip.mode) for s in shots.values()] == [
        "start-end-to-video",
        "image-to-video",
        "image-to-video",
        "text-to-video",
        "text-to-video",
    ]
    assert [s.picked.request.model for s in shots.values()] == ["MiniMax-Hailuo-02"] * 3 + [
        "MiniMax-Hailuo-2.3",
        "MiniMax-Hailuo-02",
    ]
    assert [segment.take for segment in shots["020"].segments] == [1, 2]
    assert shots["020"].picked.take == 2


def test_a_still_is_continued_without_waiting_and_a_made_clip_by_its_frame(harbour: str) -> None:
    shots = by_id(planned(harbour))
    assert shots["020"].picked.after == ()
    assert shots["020"].picked.request.pictures()["first_frame_image"].endswith("refs/boat.png")
    assert shots["025"].picked.after == (shots["020"].picked,)
    assert shots["025"].picked.request.pictures() == {
        "first_frame_image": f"clip:{shots['020'].picked.key}#last"
    }
    assert shots["025"].picked.request.prompt_optimizer is False


def test_joins(harbour: str) -> None:
    joins = {shot_id: shot.join for shot_id, shot in by_id(planned(harbour)).items()}
    assert {shot_id: join.label for shot_id, join in joins.items()} == {
        "010": "",
        "020": "continues",
        "025": "continues",
        "030": "fade 0.5 s",
        "040": "cut",
    }
    assert [join.repeats_frame for join in joins.values()] == [False, True, True, False, False]


def test_brackets_in_either_language(harbour: str) -> None:
    assert "[Push in,Pedestal down]" in by_id(planned(harbour))["010"].prompt
    assert "[推进,下降]" in by_id(planned(harbour, "zh"))["010"].prompt


def test_a_board_may_set_the_language(tmp_path: Path, harbour: str) -> None:
    path = write_board(tmp_path, HARBOUR.replace("    title:", "    language: zh\n    title:"))
    assert "[推进,下降]" in by_id(planned(path))["010"].prompt


def test_look_and_cast_are_in_the_prompts(harbour: str) -> None:
    shots = by_id(planned(harbour))
    assert "woman in a yellow oilskin coat" in shots["020"].prompt
    for shot in shots.values():
        assert "teal and rust palette" in shot.prompt


def test_the_same_board_has_the_same_keys_and_another_picture_other_ones(
    harbour: str, picture: Picture
) -> None:
    before = planned(harbour)
    assert planned(harbour).digest == before.digest
    picture("refs/boat.png", "green")
    changed = {
        s.shot for s, old in zip(planned(harbour).segments, before.segments, strict=True) if s.key != old.key
    }
    assert changed == {"010", "020", "025"}


def test_editing_a_shot_changes_itself_and_what_continues_from_it(tmp_path: Path, harbour: str) -> None:
    before = {(s.shot, s.take): s.key for s in planned(harbour).segments}
    path = write_board(tmp_path, HARBOUR.replace("She looks up from the rope.", "She looks down."))
    after = {(s.shot, s.take): s.key for s in planned(path).segments}
    assert {place for place in before if before[place] != after[place]} == {
        ("020", 1),
        ("020", 2),
        ("025", 1),
    }


def test_picking_another_take_redoes_only_what_continues_from_it(tmp_path: Path, harbour: str) -> None:
    before = {(s.shot, s.take): s.key for s in planned(harbour).segments}
    path = write_board(tmp_path, HARBOUR.replace("pick: 2", "pick: 1"))
    after = {(s.shot, s.take): s.key for s in planned(path).segments}
    assert {place for place in before if before[place] != after[place]} == {("025", 1)}


def test_notes_and_dialogue_make_a_new_film_of_the_same_clips(tmp_path: Path, harbour: str) -> None:
    before = planned(harbour)
    after = planned(write_board(tmp_path, HARBOUR.replace("pick: 2", "pick: 2\n        notes: Softer.")))
    assert [s.key for s in before.segments] == [s.key for s in after.segments]
    assert before.digest != after.digest


def test_frames_of_any_shot_can_be_named(tmp_path: Path, harbour: str) -> None:
    path = write_board(
        tmp_path,
        HARBOUR.rstrip(" ")
        + '      - {id: "050", from: "030.first", to: "040@2.5", action: It all comes back.}\n',
    )
    shot = by_id(planned(path))["050"]
    assert {segment.shot for segment in shot.picked.after} == {"030", "040"}
    assert shot.picked.request.pictures()["last_frame_image"].endswith("#2.5")


def test_a_circle_of_frames_is_refused(tmp_path: Path, harbour: str) -> None:
    board = """\
        title: Circle
        shots:
          - {id: a, from: b.last, action: one}
          - {id: b, from: a.last, action: two}
        """
    with pytest.raises(BoardError, match="in a circle"):
        planned(write_board(tmp_path, board))


def test_a_third_extracted_frame_in_a_row_is_warned_of(tmp_path: Path) -> None:
    board = "title: Long\nshots:\n  - {id: a, action: one}\n" + "".join(
        f"  - {{id: {name}, action: more}}\n" for name in "bcd"
    )
    shots = planned(write_board(tmp_path, board)).shots
    assert [any("in a row" in warning for warning in shot.warnings) for shot in shots] == [
        False,
        False,
        False,
        True,
    ]


def test_a_board_finds_its_own_templates(tmp_path: Path) -> None:
    folder = tmp_path / "prompt_templates"
    folder.mkdir()
    (folder / "haiku.j2").write_text("{{ action }} Three lines, no more.")
    path = write_board(tmp_path, "title: T\nshots:\n  - {id: a, template: haiku, action: Rain.}\n")
    assert planned(path).shots[0].prompt == "Rain. Three lines, no more."


def test_a_board_on_another_storage(tmp_path: Path, picture: Picture) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/boards/refs/pier.png", picture("pier.png").read_bytes())
    memory.pipe_file(
        "/boards/b.yaml", b"title: T\nframes: {pier: refs/pier.png}\nshots:\n  - {id: a, from: pier}\n"
    )
    shot = planned("memory://boards/b.yaml").shots[0]
    assert shot.picked.request.pictures()["first_frame_image"] == "memory://boards/refs/pier.png"


def test_a_picture_of_another_shape_than_the_film_is_told(tmp_path: Path, picture: Picture) -> None:
    picture("wide.png", "teal", (1280, 720))
    picture("square.png", "maroon", (800, 800))
    plan = planned(
        write_board(
            tmp_path,
            """\
            title: Shapes
            shots:
              - {id: a, from: wide.png, action: Rain.}
              - {id: b, from: square.png, cut: true, action: Sun.}
              - {id: c, action: Wind.}
              - {id: d, cut: true, action: Snow.}
            """,
        )
    )
    told = [warning for warning in plan.warnings if "black bars" in warning]
    assert told == [
        "2 shots are not 16:9 as most are: b c. In the film they get black bars; to fill the screen, crop the pictures "
        "to 16:9 (`fit` does not: it only crops what the service would refuse)"
    ]
    assert not any("black bars" in warning for shot in plan.shots for warning in shot.warnings)


def test_jinja_in_a_value_is_told_since_only_prompts_and_templates_are_rendered(tmp_path: Path) -> None:
    board = 'title: T\nshots:\n  - {id: "1", action: "{{ x }} waits", notes: "{{ y }}"}\n'
    (shot,) = planned(write_board(tmp_path, board)).shots
    assert [text for text in shot.warnings if "{{" in text] == [
        "action has {{ x }} in it, which is sent as it stands; only `prompt` and templates are rendered"
    ]
    assert "{{ x }} waits." in shot.prompt


# What a shot is before and after one of the keys changes of which planning makes clips and joins.
_H3 = {"model": "MiniMax-H3", "cut": True}

CHANGES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "template": ({"template": "plain"}, {"template": "establishing"}),
    "prompt": ({"prompt": "Rain."}, {"prompt": "Sun."}),
    "from": ({"from": "pier"}, {"from": "boat"}),
    "to": ({}, {"to": "boat"}),
    "continue": ({"continue": "still"}, {"continue": "frame"}),
    "cut": ({"cut": "fade 0.5"}, {"cut": "fade 1"}),
    "camera": ({"camera": "push in"}, {"camera": "tilt up"}),
    "model": ({}, {"model": "MiniMax-Hailuo-02"}),
    "resolution": ({}, {"resolution": "1080P"}),
    "seconds": ({}, {"seconds": 10}),
    "prompt_optimizer": ({"prompt_optimizer": True}, {"prompt_optimizer": False}),
    "takes": ({}, {"takes": 2}),
    "pick": ({"takes": 2}, {"takes": 2, "pick": 2}),
    "characters": ({}, {"characters": ["mara"]}),
    "subject": ({"subject": "pier"}, {"subject": "boat"}),
    "references": ({"references": ["pier"]}, {"references": ["boat"]}),
    "ratio": (dict(_H3, ratio="16:9"), dict(_H3, ratio="1:1")),
    "action": ({}, {"action": "Sun."}),
    "place": ({"template": "establishing"}, {"template": "establishing", "place": "a harbour"}),
    "vars": (
        {"prompt": "{{ hour }}", "vars": {"hour": "Noon"}},
        {"prompt": "{{ hour }}", "vars": {"hour": "Dusk"}},
    ),
}


@pytest.mark.parametrize("name", sorted(Shot.PLANNED_FIELDS - {*OWN_KEYS, "video_template"}))
def test_every_planned_key_of_a_shot_makes_another_film(name: str, tmp_path: Path, picture: Picture) -> None:
    """One that changes no clip and no join would leave the film as it was."""
    key = Shot.model_fields[name].alias or name
    picture("pier.png", "teal")
    picture("boat.png", "maroon")
    board = {
        "title": "Keys",
        "cast": {"mara": {"desc": "a woman in a yellow oilskin coat"}},
        "frames": {"pier": "pier.png", "boat": "boat.png"},
    }
    before, after = (
        planned(
            write_board(
                tmp_path,
                yaml.safe_dump(
                    {**board, "shots": [{"id": "010", "from": "pier", "to": "boat", "action": "Wind."}, shot]}
                ),
            )
        )
        for shot in (_shot(values) for values in CHANGES[key])
    )
    assert before.digest != after.digest


class ShotWithMore(Shot):
    mood: float = 0.0


def test_any_other_key_of_a_shot_makes_another_film_whatever_it_means(harbour: str) -> None:
    plan = planned(harbour)

    def with_mood(seconds: float) -> Plan:
        first = plan.shots[0]
        shot = ShotWithMore(**first.shot.model_dump(by_alias=True), mood=seconds)
        return replace(plan, shots=(replace(first, shot=shot), *plan.shots[1:]))

    assert with_mood(0.0).digest == plan.digest, "a key that is not set leaves the films that are there"
    assert len({with_mood(seconds).digest for seconds in (0.0, 1.0, 2.0)}) == 3


def test_what_a_film_is_compared_by_stays_as_manifests_have_it(tmp_path: Path) -> None:
    """A change of this would join every film again."""
    board = """\
        title: Two
        look: Grain.
        defaults: {takes: 2}
        shots:
          - {id: a, action: Rain., notes: Softer.}
          - {id: b, action: Sun., cut: fade 0.5, pick: 2, dialogue: Oh.}
        """
    plan = planned(write_board(tmp_path, board))
    one, two = plan.shots
    assert plan.film == {
        "title": "Two",
        "look": "Grain.",
        "shots": [
            {
                "id": "a",
                "clip": one.segments[0].key,
                "takes": [segment.key for segment in one.segments],
                "join": ["", 0.0, False],
                "dialogue": None,
                "notes": "Softer.",
            },
            {
                "id": "b",
                "clip": two.segments[1].key,
                "takes": [segment.key for segment in two.segments],
                "join": ["fade", 0.5, False],
                "dialogue": "Oh.",
                "notes": None,
            },
        ],
    }


def _shot(values: dict[str, object]) -> dict[str, object]:
    has_words = "prompt" in values
    return {"id": "020", **({} if has_words else {"action": "Rain."}), **values}
