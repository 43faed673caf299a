"""The block that holds the key of the account, and the settings that go with it."""

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from minimax_tasks.engines.asking import settings_of
from minimax_tasks.settings import Settings


class MiniMaxCredentials(Block):
    """The account at MiniMax, and where its clips are kept. What is left out is read from `MINIMAX_…` settings."""

    _block_type_name = "MiniMax Credentials"
    _block_type_slug = "minimax-credentials"

    api_key: SecretStr | None = Field(default=None, description="The key of the MiniMax account.")
    base_url: str | None = Field(default=None, description="Address of the service; keys belong to a region.")
    root: str | None = Field(
        default=None, description="Where the files go: an absolute path, or any fsspec URL."
    )
    budget: float | None = Field(default=None, description="Most USD that may be spent on the root, ever.")
    requests_per_minute: float | None = Field(default=None, description="Most submits a minute.")
    tracking_url: str | None = Field(
        default=None, description="Where a browser finds a file of the root: `https://videos.example/{path}`."
    )

    def settings(self) -> Settings:
        """The settings that these make. Raises `ConfigurationError`."""
        return settings_of(**{name: getattr(self, name) for name in _SETTINGS})


_SETTINGS = ("api_key", "base_url", "root", "budget", "requests_per_minute", "tracking_url")
