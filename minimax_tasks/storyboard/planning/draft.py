"""A shot while its board is being planned."""

from dataclasses import dataclass, field

from minimax_tasks.api.catalog.cameras import Move
from minimax_tasks.storyboard.board import Shot
from minimax_tasks.storyboard.plan import Join, Segment, Source

SECONDS = 6
"""What the service makes where a board says nothing."""

_FIRST = Join("")


@dataclass
class Draft:
    """What is known of a shot before its request exists."""

    index: int
    shot: Shot
    seconds: int | None
    """What the shot or the board's defaults say."""
    first: Source | None = None
    last: Source | None = None
    join: Join = _FIRST
    segments: tuple[Segment, ...] = ()
    lines: int = 0
    """The short side in pixels that is asked for; 0 when that is not known."""
    prompt: str = ""
    written: tuple[str, ...] = ()
    """How the prompt may have been spelled when the clip was paid for."""
    wrong_commands: tuple[str, ...] = ()
    """What is wrong with camera commands that stand in the prompt."""
    camera: tuple[tuple[Move, ...], ...] = ()
    prompt_is_wrong: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Seconds that the clip will have."""
        return self.seconds or SECONDS
