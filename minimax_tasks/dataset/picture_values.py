"""Pictures that stand in a table itself, as bytes: what `datasets` makes of an image column.

Planning judges them and writes nothing. Before anything is paid they are kept under the root by their content, where
every process finds them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.kept_pictures import KeptPicture, given_picture
from minimax_tasks.clips.layout import PICTURES
from minimax_tasks.clips.pictures import PICTURE_LIMIT, Reading, prepare_picture, seen_in
from minimax_tasks.dataset.files import TableFile
from minimax_tasks.dataset.reading import open_rows
from minimax_tasks.errors import InvalidRequest
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.naming import file_name

MOST_VALUES = 50_000
"""Pictures of one table that are not kept yet: what is known of each must be remembered until they are."""


@dataclass(frozen=True)
class PictureValue:
    """A cell with a picture in it, and what the table calls it."""

    picture: KeptPicture
    label: str


def picture_value(name: str, cell: Any) -> PictureValue | str | None:
    """A cell of bytes, or of `bytes` and `path`: the picture, the path alone where there are no bytes, or nothing.

    Raises `InvalidRequest` for what is no picture, naming the column.
    """
    found = given_picture(cell)
    path = cell.get("path") if isinstance(cell, dict) else None
    label = file_name(path) if isinstance(path, str) else ""
    match found:
        case KeptPicture(data=bytes() as data):
            if len(data) > PICTURE_LIMIT:
                raise InvalidRequest(name, label or str(found), f"at most {PICTURE_LIMIT / 1e6:g} MB")
            return PictureValue(found, label or str(found))
        case str():
            return found.strip()
        case None:
            return None
    raise InvalidRequest(name, type(cell).__name__, "a picture: a path, a URL, its bytes, or bytes and path")


class PictureValues:
    """The pictures that stand in one table, as they are read."""

    def __init__(self, root: Storage) -> None:
        self._root = root
        self._kept: frozenset[str] | None = None
        self._at_hand: dict[str, bytes] = {}
        self.seen: dict[str, Reading] = {}
        """Where a picture will be -> what it is; of those that are not kept yet."""

    def reference(self, value: PictureValue) -> str:
        """Where a picture is, or will be, under the root."""
        reference = value.picture.reference(self._root)
        if self._kept is None:
            self._kept = frozenset(self._root.names(PICTURES))
        if file_name(reference) not in self._kept and value.picture.data is not None:
            self._at_hand[reference] = value.picture.data
        return reference

    def judge(self, request: AnyRequest) -> None:
        """Judge the pictures of a row that was just read, of which nothing but what they are is remembered.

        Raises `PictureError`.
        """
        at_hand, self._at_hand = self._at_hand, {}
        for name, reference in request.pictures().items():
            data = at_hand.get(reference)
            if data is None:
                continue
            if len(self.seen) >= MOST_VALUES and reference not in self.seen:
                raise InvalidRequest(
                    name, "a picture", f"{MOST_VALUES:,} pictures in one table; cut it into several"
                )
            seen = seen_in(data)
            self.seen[reference] = Reading(seen, "")
            prepare_picture(
                reference, seen, field=name, fit=request.fit, data=data, limits=request.picture_limits
            )


def keep_pictures(
    root: Storage, files: Iterable[TableFile], columns: Iterable[str], wanted: Iterable[str]
) -> None:
    """Keep under the root what is not kept yet of the pictures in the columns of a table. `wanted` are references."""
    kept = root.names(PICTURES)
    missing = {reference for reference in wanted if file_name(reference) not in kept}
    named = tuple(columns)
    for file in files if missing else ():
        with open_rows(file.path, pictures=named) as rows:
            for record in rows.records:
                for picture in (one for name in named for one in _pictures_in(record.cells.get(name))):
                    if (reference := picture.reference(root)) in missing:
                        picture.keep(root)
                        missing.discard(reference)


def _pictures_in(cell: Any) -> Iterator[KeptPicture]:
    for one in cell if isinstance(cell, list) else [cell]:
        if isinstance(one, bytes | dict) and isinstance(found := given_picture(one), KeptPicture):
            yield found
