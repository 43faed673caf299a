"""A film of 90 seconds with everything that a cut may have: its board, its footage and its sounds."""

import math
from pathlib import Path

from PIL import Image, ImageDraw

from tests.storyboard.boards import write_board
from tests.storyboard.test_film_audio import tone
from tests.video.conftest import written_clip

BOARD = """\
    title: The Last Ferry
    picture: "16:9"
    defaults: {model: MiniMax-Hailuo-02}
    frames: {chart: chart.png}
    audio: [{file: bed.wav, loop: true, gain: -6, fade_in: 1, fade_out: 2, duck: 12}]
    shots:
      - {id: "005", title: {text: The Last Ferry, subtitle: A film by Mara Lindqvist, over: black, seconds: 4}}
      - id: "010"
        prompt: Fog over a harbour at dawn.
        cut: fade 0.5
        dialogue: {en: We should have left at noon., zh: 我们本该中午就走。}
        voice: {file: line.wav, at: 1}
      - {id: "020", prompt: The fog lifts., trim: ..5}
      - {id: "030", clip: wave.mp4, cut: wipeleft 0.5, trim: 0.5..7.5}
      - {id: "040", prompt: A gull over the quay., cut: dissolve 1}
      - {id: "050", prompt: Ropes on a bollard., cut: slideup 0.5, trim: 1..5.5}
      - {id: "060", still: chart, seconds: 6, camera: "pan right, push in", cut: circleopen 0.5}
      - {id: "070", prompt: A captain at the wheel., cut: fadeblack 1}
      - {id: "080", prompt: The ferry turns., cut: wipetl 0.5, trim: ..4.25, speed: 0.5}
      - {id: "090", prompt: The empty pier., cut: true, trim: ..-1, hold: 1.5}
      - {id: "100", clip: quay.mp4, cut: smoothleft 0.5}
      - {id: "110", prompt: Rain on a window., cut: coverright 0.5}
      - id: "120"
        prompt: Two sailors talk.
        cut: pixelize 0.5
        dialogue:
          en: [{text: Is she coming back?, from: 0.5, to: 2.5}, {text: "No, not tonight.", from: 3, to: 5}]
          zh: [{text: 她会回来吗？, from: 0.5, to: 2.5}, {text: 今晚不会。, from: 3, to: 5}]
        voice: {file: answer.wav, at: 3}
      - {id: "130", still: chart, seconds: 5, camera: pull out, cut: true}
      - id: "140"
        prompt: A lamp in the dark.
        cut: radial 0.5
        title: {text: Mara Lindqvist, subtitle: Captain of the Aurora, look: lower third, from: 1, to: 5}
      - {id: "150", prompt: Night falls., cut: zoomin 1}
      - {id: "160", title: {text: The End, over: black, seconds: 3}, cut: true}
    """


def wave(number: int, size: tuple[int, int]) -> Image.Image:
    """A ball that goes up and down over the sea."""
    wide, high = size
    image = Image.new("RGB", size, (30, 90, 170))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, high * 0.6, wide, high), fill=(20, 140, 130))
    x, y = wide * (0.2 + 0.6 * number / 240), high * (0.45 + 0.25 * math.sin(number / 6))
    pen.ellipse((x - high / 9, y - high / 9, x + high / 9, y + high / 9), fill=(250, 240, 200))
    return image


def quay(number: int, size: tuple[int, int]) -> Image.Image:
    """A hand that goes round over brick."""
    wide, high = size
    image = Image.new("RGB", size, (150, 60, 40))
    pen = ImageDraw.Draw(image)
    turn = number / 9
    end = wide / 2 + high * 0.4 * math.cos(turn), high / 2 + high * 0.4 * math.sin(turn)
    pen.line((wide / 2, high / 2, *end), fill=(255, 220, 60), width=max(2, high // 12))
    return image


def chart(path: Path) -> None:
    """A still with marks all over it, so that each move over it is seen."""
    image = Image.new("RGB", (640, 360), (225, 205, 160))
    pen = ImageDraw.Draw(image)
    for x in range(0, 640, 40):
        pen.line((x, 0, x, 360), fill=(120, 100, 70), width=3)
    pen.polygon([(80, 300), (200, 60), (330, 250)], fill=(60, 110, 60))
    pen.ellipse((420, 90, 560, 230), fill=(180, 60, 50))
    image.save(path)


def write_film(folder: Path) -> str:
    """The board with what it names beside it; the path of the board."""
    tone(folder / "bed.wav", 7, 300)
    tone(folder / "line.wav", 2, 900, 0.4)
    tone(folder / "answer.wav", 1.5, 1500, 0.4)
    written_clip(folder / "wave.mp4", 192, 24, (320, 180), picture=wave)
    written_clip(folder / "quay.mp4", 180, 30, (320, 240), picture=quay)
    chart(folder / "chart.png")
    return write_board(folder, BOARD)
