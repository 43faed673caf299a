"""Reading a board, and finding what its names mean: paths are beside the board, wherever it is."""

import os
from pathlib import Path

import fsspec

from minimax_tasks.api.errors import BoardError


def read_text(path: str) -> str:
    """The text of a board from any fsspec path or URL. Raises `BoardError`."""
    try:
        fs, inner = fsspec.core.url_to_fs(path, use_listings_cache=False)
        return bytes(fs.cat_file(inner)).decode("utf-8-sig")
    except FileNotFoundError:
        why = "there is no such file"
    except IsADirectoryError:
        why = "this is a folder; give the storyboard file in it"
    except UnicodeDecodeError:
        why = "this is not UTF-8 text"
    except (OSError, ValueError, ImportError) as error:
        why = f"it cannot be read ({error})"
    raise BoardError([f"{path}: {why}"])


def board_folder(path: str) -> str:
    """The folder that a board stands in."""
    if "://" in path:
        return path.rpartition("/")[0]
    return os.path.dirname(path) or "."


def beside(folder: str, reference: str) -> str:
    """A path or URL as it is meant by a board in a folder."""
    if "://" in reference or reference.startswith("data:") or os.path.isabs(reference):
        return reference
    if "://" in folder:
        return f"{folder}/{reference}"
    return os.path.normpath(os.path.join(folder, reference))


def template_folder(folder: str) -> Path | None:
    """The board's own templates, `prompt_templates/` beside it; None when it has none."""
    own = Path(folder) / "prompt_templates"
    return own if "://" not in folder and own.is_dir() else None
