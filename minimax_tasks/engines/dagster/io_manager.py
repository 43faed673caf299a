"""Hands clips and films on to other assets, on any storage that fsspec knows."""

import re
from dataclasses import asdict
from typing import Any

import dagster as dg
from pydantic import TypeAdapter

from minimax_tasks.clips.make import MadeClip
from minimax_tasks.engines.boards import MadeFilm
from minimax_tasks.engines.dagster.resource import MiniMaxResource
from minimax_tasks.storage.files import Storage

IO_MANAGER = "minimax_io_manager"
"""The key under which the assets look for the IO manager."""

ASSETS = "dagster"
"""The folder under the root that says which clip each asset is."""

_KINDS: dict[str, type[MadeClip] | type[MadeFilm]] = {"clip": MadeClip, "film": MadeFilm}


class ClipIOManager(dg.ConfigurableIOManager):
    """Keeps which clip or film an asset is, under the root of the account: `dagster/<asset>/<partition>.json`.

    The video itself is where it was made, so nothing is copied. An asset downstream gets a `MadeClip` or a
    `MadeFilm`, whose `path` any fsspec opens; of several partitions, a dict of them.
    """

    minimax: MiniMaxResource

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keep a clip or a film, or those of several partitions by their keys."""
        by_partition = obj if isinstance(obj, dict) else {_partition(context): obj}
        root = self._root()
        for partition, made in by_partition.items():
            kind = next((name for name, kind in _KINDS.items() if isinstance(made, kind)), None)
            if kind is None:
                raise TypeError(
                    f"{context.asset_key.to_user_string()}: {type(made).__name__} is no clip and no film"
                )
            root.write_json(
                _name(context.asset_key, partition), {"kind": kind, **asdict(made)}, durable=False
            )

    def load_input(self, context: dg.InputContext) -> Any:
        """The clip or the film; of several partitions, by their keys."""
        if not context.has_asset_partitions:
            return self._load(context.asset_key, None)
        found = {key: self._load(context.asset_key, key) for key in context.asset_partition_keys}
        return found if len(found) != 1 else next(iter(found.values()))

    def _load(self, asset: dg.AssetKey, partition: str | None) -> MadeClip | MadeFilm:
        root, name = self._root(), _name(asset, partition)
        document = root.read_json(name)
        if document is None:
            of = f", partition {partition}" if partition else ""
            raise FileNotFoundError(
                f"{asset.to_user_string()}{of} is not made yet: {root.join(name)} is missing"
            )
        kind: TypeAdapter[MadeClip | MadeFilm] = TypeAdapter(_KINDS[document.pop("kind")])
        return kind.validate_python(document)

    def _root(self) -> Storage:
        return Storage(self.minimax.settings().root)


def _partition(context: dg.OutputContext) -> str | None:
    return context.asset_partition_key if context.has_asset_partitions else None


def _name(asset: dg.AssetKey, partition: str | None) -> str:
    words = [*asset.path, *([partition] if partition is not None else ["asset"])]
    return "/".join([ASSETS, *map(_safe, words)]) + ".json"


def _safe(word: str) -> str:
    """A word as a file's name that no other word has."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f"%{ord(found[0]):x}", word)
