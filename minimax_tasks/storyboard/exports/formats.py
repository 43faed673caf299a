"""The files as which a cut can be exported: one row for each ending."""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from minimax_tasks.errors import ConfigurationError, VideoError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut, exported_cut
from minimax_tasks.storyboard.exports.losses import losses
from minimax_tasks.storyboard.plan import Plan

EXPORTS = {
    ".otio": "otio", ".otioz": "otio", ".xml": "otio", ".fcpxml": "fcpxml", ".edl": "edl",
    ".srt": "captions", ".vtt": "captions", ".csv": "shot_list", ".pdf": "contact_sheet",
}  # fmt: skip
"""Ending of the file -> module of this room that writes it, an `Exporter`."""

_TRAVEL = (".otio", ".xml", ".fcpxml", ".edl")
"""Endings of files that can name media in a folder beside them; an `.otioz` has them in it."""


class Exporter(Protocol):
    """What the module of an export has. One that needs a package more has a `check_installed` as well."""

    def write(self, cut: ExportedCut, out: str) -> list[str]:
        """Write the files, and return them. Raises `OSError`, `ValueError` or `VideoError` when that fails."""


@runtime_checkable
class NeedsPackages(Protocol):
    """What the module of an export has that needs a package more."""

    def check_installed(self, ending: str) -> None:
        """Raise `ConfigurationError` when the package for this ending is missing."""


def check_out(out: str | Path, *, relative: bool = False) -> None:
    """Judge the name of a timeline, before any clip is read.

    Raises `ConfigurationError` for another format, a folder that is not there, and a place that cannot be
    written to. Whether the package that writes it is installed is `write_timeline`'s to say, once the root and the
    board are judged: it would be installed in vain for a board that is wrong.
    """
    path = Path(out)
    endings = ", ".join(EXPORTS)
    if path.suffix.casefold() not in EXPORTS:
        why = f"a timeline of the kind {path.suffix!r} is not written" if path.suffix else "it has no ending"
        raise ConfigurationError(
            f"timeline {out}: {why}; allowed: {endings}, as in {path.stem or 'film'}{next(iter(EXPORTS))}"
        )
    if relative and path.suffix.casefold() not in _TRAVEL:
        raise ConfigurationError(
            f"timeline {out}: media can lie beside files that name them; allowed: {', '.join(_TRAVEL)}"
        )
    folder = path.parent
    if "://" in str(out):
        why = "a timeline is written to a local file"
    elif not folder.exists():
        why = f"there is no folder {folder}"
    elif not folder.is_dir():
        why = f"{folder} is not a folder"
    elif path.is_dir():
        why = "this is a folder; give the file in it"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        why = "it cannot be written to"
    else:
        return
    raise ConfigurationError(
        f"timeline {out}: {why}; allowed: a local file that can be written, ending in {endings}"
    )


@dataclass(frozen=True)
class Exported:
    """What was written, the shots that are not made and so are left out, and what of the film the format cannot say."""

    files: list[str]
    missing: list[str]
    losses: list[str]


def write_timeline(root: Storage, plan: Plan, out: str | Path, *, relative: bool = False) -> Exported:
    """Write the picked takes in order, with their transitions, to a local file; its ending says as what.

    The clips are linked where they lie under the root, and go into an `.otioz`. With `relative` they, and the sounds,
    are copied into a folder beside the file, which names them from there.
    Raises `ConfigurationError` as `check_out` does, when the package that writes it is not installed, and when the
    file cannot be written after all.
    """
    check_out(out, relative=relative)
    path = Path(out)
    exporter = _exporter(path)
    if isinstance(exporter, NeedsPackages):
        exporter.check_installed(path.suffix.casefold())
    cut = exported_cut(root, plan, relative=relative)
    if problem := cut.edit.problem():
        raise ConfigurationError(f"timeline {out}: {problem}")
    try:
        files = exporter.write(cut, str(out))
    except (OSError, ValueError, VideoError) as error:
        raise ConfigurationError(f"timeline {out}: it cannot be written: {error}") from None
    return Exported(files, cut.missing, losses(cut, path.suffix.casefold()))


def _exporter(path: Path) -> Exporter:
    module = importlib.import_module(f"{__package__}.{EXPORTS[path.suffix.casefold()]}")
    return cast(Exporter, module)
