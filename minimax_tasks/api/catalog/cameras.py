"""The fifteen camera instructions, in the English and Chinese of the API reference."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """One camera instruction.

    `axis` and `sign` say what moves: two moves with the same axis and opposite signs contradict each
    other. `words` is the move as plain text, for models that do not read brackets, and `clause` what the prompt
    guide of the second generation calls it, where that differs.
    """

    name: str
    english: str
    chinese: str
    axis: str
    sign: int
    words: str
    meaning: str
    aliases: tuple[str, ...] = ()
    source: str = "t2v"
    clause: str = ""


MOVES: tuple[Move, ...] = (
    Move("truck_left", "Truck left", "左移", "truck", -1, "trucks left",
         "the camera slides to the left", ("dolly left", "crab left", "slide left")),
    Move("truck_right", "Truck right", "右移", "truck", 1, "trucks right",
         "the camera slides to the right", ("dolly right", "crab right", "slide right")),
    Move("pan_left", "Pan left", "左摇", "pan", -1, "pans left",
         "the camera stays and turns to the left"),
    Move("pan_right", "Pan right", "右摇", "pan", 1, "pans right",
         "the camera stays and turns to the right"),
    Move("push_in", "Push in", "推进", "dolly", 1, "pushes in",
         "the camera goes forward", ("dolly in", "track in", "push")),
    Move("pull_out", "Pull out", "拉远", "dolly", -1, "pulls out",
         "the camera goes back", ("dolly out", "track out", "pull back", "pull")),
    Move("pedestal_up", "Pedestal up", "上升", "pedestal", 1, "rises",
         "the whole camera rises", ("boom up", "crane up"), clause="pedestals up"),
    Move("pedestal_down", "Pedestal down", "下降", "pedestal", -1, "sinks",
         "the whole camera sinks", ("boom down", "crane down"), clause="pedestals down"),
    Move("tilt_up", "Tilt up", "上摇", "tilt", 1, "tilts up",
         "the camera stays and turns upwards"),
    Move("tilt_down", "Tilt down", "下摇", "tilt", -1, "tilts down",
         "the camera stays and turns downwards"),
    Move("zoom_in", "Zoom in", "变焦推近", "zoom", 1, "zooms in",
         "only the lens: closer"),
    Move("zoom_out", "Zoom out", "变焦拉远", "zoom", -1, "zooms out",
         "only the lens: wider"),
    Move("shake", "Shake", "晃动", "shake", 0, "shakes slightly, handheld",
         "an unsteady hand", ("handheld",), clause="shakes slightly"),
    Move("tracking", "Tracking shot", "跟随", "tracking", 0, "tracks the subject",
         "the camera moves with the subject", ("tracking", "follow", "track"),
         clause="follows the subject in a tracking shot"),
    Move("static", "Static shot", "固定", "static", 0, "holds a static shot",
         "nothing moves", ("static", "locked off", "locked", "tripod", "fixed", "hold")),
)  # fmt: skip
"""In the order of the API reference, whose English has 左移 as Truck and 左摇 as Pan."""

MAX_SIMULTANEOUS = 3
"""Most moves in one bracket (source: scope)."""
