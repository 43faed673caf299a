"""The trigger: waits for clips that are submitted, many of them in one triggerer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from minimax_tasks.clips.poll import poll
from minimax_tasks.clips.service import Service, shared_service
from minimax_tasks.engines.airflow.hooks import MiniMaxHook
from minimax_tasks.errors import GenerationFailed
from minimax_tasks.storage.files import Storage


class ClipsTrigger(BaseTrigger):
    """Waits until clips are generated, and fires once. Submits nothing, and fetches nothing.

    It knows clips by their keys alone: what it needs stands under the root, so any triggerer can go on with it.
    All triggers of a triggerer that wait with the same connection share their connections to the service.

    The event has `errors`: key -> why a clip could not be waited for to its end.
    """

    def __init__(self, minimax_conn_id: str, root: str, keys: Sequence[str]) -> None:
        super().__init__()
        self.minimax_conn_id = minimax_conn_id
        self.root = root
        self.keys = list(keys)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How another process makes this trigger again."""
        given = {"minimax_conn_id": self.minimax_conn_id, "root": self.root, "keys": self.keys}
        return f"{type(self).__module__}.{type(self).__qualname__}", given

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll each clip until its task is over."""
        try:
            settings = await MiniMaxHook(self.minimax_conn_id).asettings(self.root)
            async with shared_service(settings) as service:
                found = await asyncio.gather(*(self._wait(key, service) for key in self.keys))
        except Exception as error:
            # A trigger that raises fails its task without another try.
            found = [str(error)] * len(self.keys)
        errors = {key: told for key, told in zip(self.keys, found, strict=True) if told}
        yield TriggerEvent({"errors": errors})

    async def _wait(self, key: str, service: Service) -> str:
        """Wait for one clip; "" when its task is over, however it ended."""
        try:
            await poll(service.folder(Storage(self.root), key), service)
        except GenerationFailed:
            pass  # it stands under the root, where the worker finds it
        except Exception as error:
            return str(error) or type(error).__name__
        return ""

    async def on_kill(self) -> None:
        """Say what happens to clips that nobody waits for any more: the service continues with them."""
        self.log.info(
            "%d clips are submitted and paid for; the next run that asks for them gets them: %s",
            len(self.keys),
            ", ".join(self.keys),
        )
