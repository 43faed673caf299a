"""Camera drawings."""

from itertools import combinations
from xml.etree import ElementTree

import pytest

from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.storyboard.report.camera_icons import camera_svg, camera_words

NAMES = [move.name for move in MOVES]


@pytest.mark.parametrize("move", MOVES, ids=NAMES)
def test_every_move_of_the_catalogue_has_a_drawing_that_says_its_name(move):
    drawing = ElementTree.fromstring(camera_svg([[move.name]]))
    assert drawing.get("role") == "img"
    assert drawing.findtext("title") == move.english


def test_no_two_moves_look_the_same():
    drawings = {name: camera_svg([[name]]).split("</title>")[1] for name in NAMES}
    alike = [pair for pair in combinations(NAMES, 2) if drawings[pair[0]] == drawings[pair[1]]]
    assert alike == []


def test_moves_of_one_group_share_a_frame():
    together = camera_svg([["truck_left", "pan_right"]])
    assert together.count('fill-opacity=".08"') == 1
    assert ElementTree.fromstring(together).findtext("title") == "Truck left + Pan right"


def test_groups_follow_each_other_from_left_to_right():
    one, three = camera_svg([["static"]]), camera_svg([["static"], ["push_in", "tilt_up"], ["shake"]])
    assert three.count('fill-opacity=".08"') == 3
    width = {svg: int(ElementTree.fromstring(svg).get("width")) for svg in (one, three)}
    assert width[three] > 3 * width[one]
    assert ElementTree.fromstring(three).get("height") == ElementTree.fromstring(one).get("height")
    assert camera_words([["static"], ["push_in", "tilt_up"]]) == "Static shot, then Push in + Tilt up"


def test_size_is_the_height_in_pixels():
    assert ElementTree.fromstring(camera_svg([["zoom_in"]], size=96)).get("height") == "96"


def test_without_an_instruction_the_frame_is_empty():
    drawing = ElementTree.fromstring(camera_svg(()))
    assert drawing.findtext("title") == "Free camera"
    assert drawing.findall(".//path") == []


def test_an_unknown_move_is_named_together_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'spin'.*truck_left.*static"):
        camera_svg([["static"], ["spin"]])
