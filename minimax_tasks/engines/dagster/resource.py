"""The resource: the account, where its clips are kept, and making clips with them."""

import asyncio
from collections.abc import Callable, Sequence

import dagster as dg
from pydantic import Field

from minimax_tasks.clips.make import Outcome, make_all
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import Service
from minimax_tasks.engines.asking import settings_of
from minimax_tasks.settings import Settings

RESOURCE = "minimax"
"""The key under which the assets look for the resource."""


class MiniMaxResource(dg.ConfigurableResource):
    """The account at MiniMax, and where its clips are kept. What is left out is read from `MINIMAX_…` settings."""

    api_key: str | None = Field(
        default=None, description="The key of the account. Dagster shows what it is given: use EnvVar."
    )
    base_url: str | None = Field(default=None, description="Address of the service; keys belong to a region.")
    root: str | None = Field(
        default=None, description="Where the files go: an absolute path, or any fsspec URL."
    )
    budget: float | None = Field(default=None, description="Most USD that may be spent on the root, ever.")
    requests_per_minute: float | None = Field(default=None, description="Most submits a minute.")
    max_in_flight: int | None = Field(default=None, description="Most clips that a run has under way.")
    tracking_url: str | None = Field(
        default=None, description="Where a browser finds a file of the root: `https://videos.example/{path}`."
    )

    def settings(self) -> Settings:
        """The settings that these make. Raises `ConfigurationError`."""
        return settings_of(**{name: getattr(self, name) for name in _SETTINGS})

    def make(self, clips: Sequence[ClipRequest], *, on_status: Callable[[str], None]) -> list[Outcome]:
        """Make clips, all at once; the outcome of each, in their order. Nothing that is done is done or paid again."""
        # When Dagster ends the run, this lets POSTs under way come to their end.
        return asyncio.run(self._make(clips, on_status))

    async def _make(self, clips: Sequence[ClipRequest], on_status: Callable[[str], None]) -> list[Outcome]:
        def tell(number: int, status: str) -> None:
            on_status(f"{clips[number].purpose or clips[number].what}: {status}")

        settings = self.settings()
        async with Service(settings) as service:
            made = make_all(clips, root=settings.root, service=service, on_status=tell)
            return sorted([outcome async for outcome in made], key=lambda outcome: outcome.number)


_SETTINGS = ("api_key", "base_url", "root", "budget", "requests_per_minute", "max_in_flight", "tracking_url")
