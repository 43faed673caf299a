from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from minimax_tasks.api.catalog.cameras import MOVES
from minimax_tasks.sandbox.drawing.draw_clip import Abandoned, Rendered, clip_size, draw_clip
from minimax_tasks.sandbox.drawing.motion import camera_groups, without_commands
from minimax_tasks.sandbox.drawing.scenery import draw_portrait, draw_scene, place_in
from minimax_tasks.video.colour import frame_of, picture_of
from minimax_tasks.video.frames import cover, first_frame, last_frame
from minimax_tasks.video.probe import probe
from tests.decoded import pictures_in
from tests.joining import Piece, join


def spot(size=(320, 180), colour=(240, 220, 60), ground=(40, 70, 110)):
    """A round spot in the middle of a plain ground."""
    image = Image.new("RGB", size, ground)
    x, y, radius = size[0] / 2, size[1] / 2, size[1] / 6
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image


def psnr(one, two):
    error = (np.asarray(one, float) - np.asarray(two, float)) ** 2
    return 10 * np.log10(255**2 / max(1e-9, error.mean()))


def as_video(image, size):
    """The picture as a frame can show it at best: colours at half the size."""
    return picture_of(frame_of(cover(image, size)), "ITU709")


def frames_of(path):
    return list(pictures_in(path))


def test_a_clip_that_nobody_wants_any_more_is_not_drawn_to_its_end(tmp_path):
    for scale in ("90P", "360P"):
        asked = iter([True] * 3)
        with pytest.raises(Abandoned):
            draw_clip(
                tmp_path / "clip.mp4", prompt="Hills", resolution="768P", seconds=6, scale=scale,
                wanted=lambda asked=asked: next(asked, False),
            )  # fmt: skip


@pytest.fixture
def render(tmp_path):
    """Renders a small clip of one second and gives its path."""

    def make(prompt="", name="clip.mp4", **arguments):
        path = tmp_path / name
        draw_clip(path, **{"prompt": prompt, "resolution": "768P", "seconds": 1, "scale": "90P", **arguments})
        return path

    return make


def seen_spot(image):
    """Where the spot of a frame is, and how large: x and y as shares of the frame, and the share it fills."""
    upper = image.crop((0, 0, image.width, round(image.height * 0.66)))
    light = np.asarray(upper.convert("L"), float) > 130
    rows, columns = np.nonzero(light)
    return columns.mean() / image.width, rows.mean() / image.height, light.mean()


@pytest.mark.parametrize(
    ("resolution", "aspect", "size"),
    [
        ("768P", None, (1366, 768)),
        ("1080P", None, (1920, 1080)),
        ("720P", None, (1280, 720)),
        ("512P", None, (910, 512)),
        ("768P", 16 / 9, (1366, 768)),
        ("768P", 1.0, (768, 768)),
        ("768P", 9 / 16, (768, 1366)),
        ("512P", 2.5, (1280, 512)),
        ("90P", 3 / 4, (90, 120)),
    ],
)
def test_sizes(resolution, aspect, size):
    assert clip_size(resolution, aspect) == size


def test_a_resolution_that_is_none():
    with pytest.raises(ValueError, match="not '4K'"):
        clip_size("4K", None)


def test_the_clip_is_a_whole_mp4_that_can_be_joined(tmp_path):
    path = tmp_path / "clip.mp4"
    made = draw_clip(path, prompt="A quiet sea", resolution="768P", seconds=6, scale="90P")
    assert made == Rendered(160, 90, 144)
    found = probe(path, "decode")
    assert found.ok, found.problems
    assert (found.codec, found.pix_fmt, found.fps, found.frames) == ("h264", "yuv420p", Fraction(24), 144)
    assert found.seconds == pytest.approx(6.0)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert {context.colorspace, context.color_primaries, context.color_trc, context.color_range} == {1}
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [0, 48, 96]
    assert all(packet.pts == packet.dts for packet in packets)


def test_full_size(tmp_path):
    path = tmp_path / "clip.mp4"
    assert draw_clip(path, prompt="Hills", resolution="768P", seconds=0.25) == Rendered(1366, 768, 6)
    assert (probe(path).width, probe(path).height) == (1366, 768)


def test_other_rates_and_lengths(render):
    found = probe(render(seconds=2, fps=25))
    assert (found.frames, found.fps) == (50, 25)
    assert probe(render(seconds=0.01)).frames == 1


def test_the_same_arguments_make_the_same_bytes(render):
    first = spot()
    one = render("[Push in] A spot", "one.mp4", first=first)
    two = render("[Push in] A spot", "two.mp4", first=first)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    "pictures", [{}, {"first": spot()}, {"first": spot(), "last": spot(colour=(255, 60, 60))}]
)
def test_takes_differ(render, pictures):
    one = frames_of(render("[Push in] A spot", "one.mp4", variant=1, **pictures))
    two = frames_of(render("[Push in] A spot", "two.mp4", variant=2, **pictures))
    assert psnr(one[12], two[12]) < 40


@pytest.mark.parametrize("variant", [1, 2, 3])
@pytest.mark.parametrize("prompt", ["", "[Truck left,Pedestal up] Then [Push in]", "[Shake]", "[Pull out]"])
def test_a_clip_starts_and_ends_exactly_on_its_pictures(render, prompt, variant):
    first, last = spot(), spot(colour=(230, 60, 60), ground=(200, 200, 180))
    clip = render(prompt, first=first, last=last, variant=variant)
    assert psnr(first_frame(clip), as_video(first, (160, 90))) > 36
    assert psnr(last_frame(clip), as_video(last, (160, 90))) > 36


def test_a_last_picture_of_another_shape_is_cropped(render):
    wide, tall = spot(), spot((180, 320), colour=(230, 60, 60))
    clip = render(first=wide, last=tall)
    assert first_frame(clip).size == (160, 90)
    assert psnr(last_frame(clip), as_video(tall, (160, 90))) > 36


def test_a_last_picture_alone_gives_the_shape(render):
    last = spot((180, 320))
    clip = render("Morning hills", last=last)
    assert last_frame(clip).size == (90, 160)
    assert psnr(last_frame(clip), as_video(last, (90, 160))) > 36


def test_no_frame_carries_writing(render):
    """Any of them may be taken into another clip."""
    plain = Image.new("RGB", (320, 180), (90, 110, 130))
    for prompt in ("[Pull out] Some words that could be written somewhere", "[推进] 一些可以写在某处的字"):
        for frame in frames_of(render(prompt, first=plain)):
            darkest, brightest = frame.convert("L").getextrema()
            assert brightest - darkest < 12


def subtitles(path):
    with av.open(path) as container:
        return [
            (packet.pts / 1000, packet.duration / 1000, bytes(packet)[2:].decode())
            for packet in container.demux(subtitles=0)
            if packet.size > 2  # between two lines MP4 has one that says nothing
        ]


def test_what_the_prompt_says_is_a_track_of_subtitles(render):
    clip = render("[Push in], then [Tilt up] 灯塔 at dusk", seconds=2)
    assert subtitles(clip) == [
        (0.0, 1.0, "[Push in]\n灯塔 at dusk"),
        (1.0, 1.0, "[Tilt up]\n灯塔 at dusk"),
    ]
    assert probe(clip, "decode").ok


def test_nothing_said_is_no_track(render):
    with av.open(render("")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


EFFECTS = {
    "truck_left": "right", "truck_right": "left", "pan_left": "right", "pan_right": "left",
    "pedestal_up": "down", "pedestal_down": "up", "tilt_up": "down", "tilt_down": "up",
    "push_in": "larger", "zoom_in": "larger", "pull_out": "smaller", "zoom_out": "smaller",
}  # fmt: skip


def effect_of(clip):
    """What happened to the spot from the first frame to the last."""
    (x0, y0, size0), (x1, y1, size1) = seen_spot(first_frame(clip)), seen_spot(last_frame(clip))
    effects = set()
    if abs(x1 - x0) > 0.05:
        effects.add("right" if x1 > x0 else "left")
    if abs(y1 - y0) > 0.05:
        effects.add("down" if y1 > y0 else "up")
    if not 0.85 < size1 / size0 < 1.15:
        effects.add("larger" if size1 > size0 else "smaller")
    return effects


@pytest.mark.parametrize("move", [move for move in MOVES if move.name in EFFECTS], ids=lambda move: move.name)
@pytest.mark.parametrize(
    "write", ["[{0.english}]", "[{0.chinese}]", "The camera slowly {0.words} over the land."]
)
def test_every_move_moves_the_picture_its_way(render, move, write):
    clip = render("A spot. " + write.format(move), first=spot((640, 360)))
    assert EFFECTS[move.name] in effect_of(clip)


def test_shaking_and_tracking_move_and_static_does_not(render):
    still, shaken, tracked = (
        frames_of(render(f"[{name}]", f"{name[:2]}.mp4", first=spot())) for name in ("固定", "晃动", "跟随")
    )
    assert seen_spot(still[8])[:2] == pytest.approx(seen_spot(still[0])[:2], abs=0.003)
    assert len({round(seen_spot(frame)[0], 3) for frame in shaken}) > 4
    assert len({round(seen_spot(frame)[0], 3) for frame in tracked}) > 4


def test_one_bracket_is_at_the_same_time(render):
    assert effect_of(render("[左移,上升]", first=spot())) >= {"right", "down"}


def test_several_brackets_are_one_after_the_other(render):
    frames = frames_of(render("[Truck left] and then [Truck right]", first=spot(), seconds=2))
    start, middle, end = (seen_spot(frames[number])[0] for number in (0, 24, -1))
    assert middle - start > 0.08
    assert end == pytest.approx(start, abs=0.02)


def test_without_a_command_the_camera_drifts(render):
    frames = frames_of(render("A spot", first=spot()))
    assert psnr(frames[0], frames[-1]) < 35


@pytest.mark.parametrize(
    "prompt", ["[Pull out,Truck left,Pedestal up]", "[Truck left] [Truck left] [Truck left]"]
)
def test_no_move_shows_black(render, prompt):
    frames = frames_of(render(prompt, first=Image.new("RGB", (320, 180), "white")))
    assert min(frame.crop((0, 0, 160, 50)).convert("L").getextrema()[0] for frame in frames) > 200


def test_clips_are_joined_by_copying(render, tmp_path):
    one = render("[Push in] A quiet sea at dawn", "one.mp4", seconds=2)
    two = render("The city wakes", "two.mp4", first=last_frame(one))
    film = join(str(tmp_path / "film.mp4"), [Piece(str(one)), Piece(str(two), repeats_frame=True)])
    assert film.method == "copy"
    assert film.frames == 48 + 24 - 1


def test_a_chain_of_clips_keeps_its_colours(render):
    image = still = Image.new("RGB", (320, 180), (180, 120, 90))
    for number in range(5):
        image = last_frame(render("[Static shot]", f"{number}.mp4", first=image))
    seen = np.asarray(image, int)[:60].reshape(-1, 3).mean(axis=0)
    assert np.abs(seen - still.getpixel((0, 0))).max() <= 2


def brightness(prompt):
    return float(np.asarray(draw_scene(prompt, (160, 90), 1).convert("L")).mean())


@pytest.mark.parametrize("night", ["a field at night", "夜晚的田野", "under the stars"])
def test_nights_are_dark(night):
    assert brightness(night) < 70 < 110 < brightness("a field at noon")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [("sea", "海"), ("city", "城市"), ("mountain", "山"), ("desert", "沙漠"), ("forest", "森林")],
)
def test_places_have_scenes_of_their_own(english, chinese):
    for words in (f"a {english} at noon", f"正午的{chinese}"):
        scene = draw_scene(words, (160, 90), 1, margin=0.25)
        assert scene.size == (240, 134)
        assert len(scene.getcolors(100_000)) > 200


LOOK = "Cold dusk, wet wood, forest greens, 35 mm film grain."


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("A storm over open water, the ferry small on the swell.", "sea"),
        ("The trawler leaves the harbour.", "sea"),
        ("She waits on the pier as the tide comes in.", "sea"),
        ("渡轮离开港口。", "sea"),
        ("He runs through the woods.", "forest"),
        ("Snow on the ridge, far below a lake.", "mountains"),
        ("A glass of water on a pine table.", None),
        ("A woman in a sea-green coat on a mountain bike.", None),
        ("A carved wood figure.", None),
        ("An old man waits.", None),
    ],
)
def test_the_place_is_what_the_words_of_the_shot_say_whatever_the_look(words, place):
    assert place_in(words) == place
    assert place_in(f"{words} {LOOK}") == place
    assert place_in(f"[Push in] {words} A sea of light, harbour colours, soft focus.") == place


def test_a_look_alone_is_read_like_any_words():
    assert place_in("Sea mist, cinematic lens.") == "sea"


def test_scenes_follow_from_prompt_and_take():
    def pixels(prompt, variant):
        return draw_scene(prompt, (160, 90), variant).tobytes()

    assert pixels("a field", 1) == pixels("a field", 1)
    assert len({pixels("a field", 1), pixels("a field", 2), pixels("a meadow", 1)}) == 3


def test_a_scene_is_the_same_in_every_size():
    small = draw_scene("a mountain lake", (160, 90), 1)
    large = draw_scene("a mountain lake", (640, 360), 1).resize((160, 90), Image.Resampling.BOX)
    assert psnr(small, large) > 20


def test_a_subject_is_seen_in_the_middle(render):
    face = Image.new("RGB", (200, 200), (250, 30, 30))
    shown = first_frame(render("She smiles in a forest", subject=face))
    assert shown.size == (160, 90)
    red, green, blue = shown.getpixel((80, 40))
    assert red > 200
    assert max(green, blue) < 80
    red, green, blue = shown.getpixel((8, 40))
    assert red - max(green, blue) < 100


def test_portraits_take_tall_subjects():
    portrait = draw_portrait(Image.new("RGBA", (100, 400), "red"), "", (90, 160), 1, margin=0.25)
    assert portrait.mode == "RGB"


@pytest.mark.parametrize("prompt", ["", "word " * 400, "字" * 2000, "[Push in", "[]", "[note] 🎬 \x00"])
def test_any_prompt_makes_a_clip(render, prompt):
    assert probe(render(prompt), "decode").ok


def names(prompt):
    return [[move.name for move in group] for group in camera_groups(prompt)]


@pytest.mark.parametrize(
    ("prompt", "groups"),
    [
        ("A man [Push in] walks", [["push_in"]]),
        ("[左移,上升] 然后 [固定]", [["truck_left", "pedestal_up"], ["static"]]),
        ("【推进、上摇】", [["push_in", "tilt_up"]]),
        ("[push in，TILT UP]", [["push_in", "tilt_up"]]),
        ("[Push in, Push in]", [["push_in"]]),
        ("[Handheld] and [dolly out] and [a note]", [["shake"], ["pull_out"]]),
        (
            "The camera pushes in while it rises, then holds a static shot.",
            [["push_in", "pedestal_up"], ["static"]],
        ),
        ("Slow morning. The camera shakes slightly, handheld.", [["shake"]]),
        ("镜头推进，同时上升，然后左摇", [["push_in", "pedestal_up"], ["pan_left"]]),
        ("The sun rises and he pushes in the door.", []),
        ("Hold on. A man on the track.", []),
        ("", []),
    ],
)
def test_camera_words_of_a_prompt(prompt, groups):
    assert names(prompt) == groups


def test_brackets_win_over_sentences():
    assert names("[Zoom in] The camera trucks left.") == [["zoom_in"]]


def test_the_writing_is_the_prompt_without_commands():
    assert without_commands("[Static shot], then [Tilt up] An old man.") == "An old man."
    assert without_commands("[固定]，然后[上摇] 老人。") == "老人。"
    assert without_commands("A man [Push in] walks [softly] home [Pan left].") == "A man walks [softly] home."
