"""Whose the folder of a dataset is: it belongs to the table that made it first, and is named after that table."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace

from minimax_tasks.clips.belonging import Source, other_owner, place_of, take
from minimax_tasks.clips.layout import DATASET_MANIFEST, DATASETS, METADATA, OWNER
from minimax_tasks.dataset.folder import TARS, VIDEOS, dataset_folder, tar_folder, tars
from minimax_tasks.dataset.names import given_name, offered_names, own_name, table_name
from minimax_tasks.dataset.plan import DatasetPlan
from minimax_tasks.errors import TableError
from minimax_tasks.redaction import shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.naming import dataset_name, former_dataset_name


def folder_name(root: Storage, source: Source) -> str:
    """The name of a dataset's folder: its own, or the one that it had by the rule before."""
    name = dataset_name(source.name)
    spellings = (source.name, unicodedata.normalize("NFD", source.name))
    for former in {former_dataset_name(spelling) for spelling in spellings} - {name}:
        if root.names(dataset_folder(name)):
            break
        folder = dataset_folder(former)
        if root.exists(f"{folder}/{DATASET_MANIFEST}") and not other_owner(root, folder, source):
            return former
    return name


def source_of(
    root: Storage, table: str, name: str | None, plan: Callable[[], DatasetPlan], *, webdataset: bool
) -> Source:
    """A table as the owner of a folder. `name` is what the dataset is to be called, None as its table is.

    Raises `TableError` for a name that asks what the table's path does not say.
    """
    called = given_name(name, table) if name else _called(root, table)
    called = unicodedata.normalize("NFC", called)

    def is_made_there() -> bool:
        folder = dataset_folder(folder_name(root, replace(source, is_made_there=lambda: False)))
        if METADATA not in root.names(folder):
            return True
        keys = {key[:12] for key in plan().clips}
        return any(file.removesuffix(".mp4")[-12:] in keys for file in root.sizes(f"{folder}/{VIDEOS}"))

    source = Source(table, DATASET_MANIFEST, "table", is_made_there, called, webdataset)
    return source


def _called(root: Storage, table: str) -> str:
    """The name of a table's dataset when nobody gives one; a partition was once called as the others are."""
    name, former = own_name(table), table_name(table)
    if name != former:
        owner = root.read_json(f"{dataset_folder(dataset_name(former))}/{OWNER}") or {}
        if owner.get("source") == place_of(table):
            return former
    return name


def check_dataset_is_own(root: Storage, source: Source) -> None:
    """Raise `TableError` when the folder of a dataset belongs to another table. Nothing is written."""
    _raise_if_taken(root, source, other_owner)


def take_dataset_folder(root: Storage, source: Source) -> None:
    """Make the folder of a dataset its table's own before anything is paid. Raises `TableError` if taken."""
    _raise_if_taken(root, source, take)


def has_tar_files(root: Storage, folder: str) -> bool:
    """Whether a dataset has tar files already, which are to be in step with its table from then on."""
    owner = root.read_json(f"{folder}/{OWNER}") or {}
    return owner.get("has_tars") is True and bool(tars(root, tar_folder(folder)))


def _raise_if_taken(root: Storage, source: Source, ask: Callable[[Storage, str, Source], str]) -> None:
    folder = dataset_folder(folder_name(root, source))
    asked = [(folder, lambda: _whose_tars(root, folder) or ask(root, folder, source))]
    if source.has_tars:
        asked.insert(0, (tar_folder(folder), lambda: other_owner(root, tar_folder(folder), source)))
    for one, whose in asked:
        if other := whose():
            offer = _free_name(root, source, other)
            raise TableError(
                [
                    f"{shown(source.path)}: the name {source.name!r} gives the folder {root.join(one)}, which holds the "
                    f"dataset of another table, {other}."
                ],
                advice=f"Give this dataset a name of its own, such as {offer!r} (`name`). If it is that table, moved: "
                "remove the folder; its clips stay",
                folder=root.join(one),
                owner=other,
                offer=offer,
            )


def _free_name(root: Storage, source: Source, other: str) -> str:
    """A name that no dataset under the root has yet."""
    taken = {name.casefold() for name in root.folders(DATASETS)}
    return next(
        name
        for name in map(dataset_name, offered_names(source.path, other))
        if not {name.casefold(), f"{name}{TARS}".casefold()} & taken
    )


def _whose_tars(root: Storage, folder: str) -> str:
    """The table whose tar files are in a folder, "" when it is none for tar files."""
    if not folder.endswith(TARS):
        return ""
    owner = root.read_json(f"{folder.removesuffix(TARS)}/{OWNER}") or {}
    return str(owner.get("source", "")) if owner.get("has_tars") is True else ""
