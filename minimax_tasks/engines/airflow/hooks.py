"""The hook: a connection of the type `minimax` as settings."""

from typing import Any

from airflow.sdk import BaseHook, Connection

from minimax_tasks.engines.asking import settings_of
from minimax_tasks.settings import Settings


class MiniMaxHook(BaseHook):
    """The account of a connection: its password is the key, its host the service, its extra the rest.

    The extra may have `root`, `budget`, `requests_per_minute` and `tracking_url`. What it leaves out is read from
    `MINIMAX_…` settings.
    """

    conn_name_attr = "minimax_conn_id"
    default_conn_name = "minimax_default"
    conn_type = "minimax"
    hook_name = "MiniMax"

    def __init__(self, minimax_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.minimax_conn_id = minimax_conn_id

    def settings(self, root: str | None = None) -> Settings:
        """The settings of the connection; `root` wins over its own. Raises `ConfigurationError`."""
        return _settings(self.get_connection(self.minimax_conn_id), root)

    async def asettings(self, root: str | None = None) -> Settings:
        """`settings` for a trigger."""
        return _settings(await self.aget_connection(self.minimax_conn_id), root)


def _settings(connection: Connection, root: str | None) -> Settings:
    extra: dict[str, Any] = connection.extra_dejson
    return settings_of(
        api_key=connection.password,
        base_url=connection.host,
        root=root or extra.get("root"),
        budget=extra.get("budget"),
        requests_per_minute=extra.get("requests_per_minute"),
        tracking_url=extra.get("tracking_url"),
    )
