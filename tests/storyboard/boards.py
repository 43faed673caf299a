"""Boards for the tests, written as a person would."""

from pathlib import Path
from textwrap import dedent


def write_board(folder: Path, text: str, name: str = "board.yaml") -> str:
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    return str(path)


HARBOUR = """\
    title: Harbour
    look: Overcast dawn, teal and rust palette.
    defaults: {model: MiniMax-Hailuo-02, resolution: 768P, seconds: 6}
    cast: {mara: {desc: "a woman in a yellow oilskin coat"}}
    frames: {pier: refs/pier.png, boat: refs/boat.png}
    shots:
      - id: "010"
        template: establishing
        from: pier
        to: boat
        camera: push in, pedestal down
        place: a harbour
        action: Mist drifts off the water.
      - id: "020"
        characters: [mara]
        camera: [static, push in]
        action: She looks up from the rope.
        takes: 2
        pick: 2
      - id: "025"
        action: She walks on.
      - id: "030"
        cut: fade 0.5
        model: MiniMax-Hailuo-2.3
        camera: tracking
        action: runs along the wet jetty.
      - id: "040"
        cut: true
        prompt: "[推进]雾散了，船离开码头。"
    """
