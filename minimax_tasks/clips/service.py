"""What the stages of a clip need besides its folder: the client, the pace of submits, and patience."""

from dataclasses import dataclass

from minimax_tasks.api.client import MiniMaxClient
from minimax_tasks.clips.pace import Pace


@dataclass(frozen=True)
class Service:
    """The video service as this process uses it. Times in seconds."""

    client: MiniMaxClient
    pace: Pace
    poll_interval: float = 10.0
    generation_timeout: float = 1800.0
