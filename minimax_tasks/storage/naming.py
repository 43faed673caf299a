"""Names of folders that hold on every system: Linux, macOS and Windows, and any object storage.

A name is Unicode in one normal form (NFC) with the marks of its script kept, at most `LIMIT` bytes of
UTF-8, never a device of Windows, and without what a file system refuses or drops. The rules that named
folders before are kept with them, so that what lies on storage is still found.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable

from minimax_tasks.storage.references import is_web

LIMIT = 100
"""Bytes. File systems take 255, encrypted ones (eCryptfs) 143, and Windows 260 characters for a whole path;
something is left for endings, and for the names of drafts."""

_TAIL = 8
"""Hex digits that tell a cut name from others that begin alike."""

_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=$|\.)")
"""Microsoft, "Naming Files, Paths, and Namespaces": reserved alone and before any ending."""

_KEPT_IN_DATASETS = frozenset(" .()+=-")


def film_name(title: str) -> str:
    """The folder of a film by its title: its words in lower case, joined by hyphens."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", title).casefold())
    words = "".join(_cleaned(folded, lambda _: " ")).split()
    return _within_limit(_no_device("-".join(words))) or _digest(unicodedata.normalize("NFC", title), 12)


def former_film_name(title: str) -> str:
    """The folder that a film had by the rule before: no marks, 80 characters."""
    words = re.findall(r"\w+", title.casefold())
    return "-".join(words)[:80] or _digest(title, 12)


def dataset_name(name: str) -> str:
    """The folder of a dataset by the name that was given or that its table has. Case is kept."""
    cleaned = _cleaned(
        unicodedata.normalize("NFC", name), lambda char: char if char in _KEPT_IN_DATASETS else "-"
    )
    return _within_limit(_no_device("".join(cleaned).strip(". "))) or "dataset"


def former_dataset_name(name: str) -> str:
    """The folder that a dataset had by the rule before."""
    return re.sub(r"[^\w. ()+=-]", "-", name).strip(". ") or "dataset"


def file_name(path: str) -> str:
    """The last part of a path or URL, whichever way its slashes lean; of a URL without the query."""
    if "://" not in path:
        return re.split(r"[\\/]", path.rstrip("\\/"))[-1]
    bare = path.partition("?")[0]
    if is_web(path):
        bare = bare.partition("#")[0]
    return bare.rstrip("/").rpartition("/")[2]


def _cleaned(text: str, other: Callable[[str], str]) -> list[str]:
    """The characters, letters and digits and the marks on them as they are, the rest by `other`."""
    kept: list[str] = []
    on_letter = False
    for char in text:
        is_mark = unicodedata.category(char) in ("Mn", "Mc") and not _selects_variation(char)
        on_letter = char.isalnum() or char == "_" or (is_mark and on_letter)
        kept.append(char if on_letter else other(char))
    return kept


def _selects_variation(char: str) -> bool:
    """Whether a mark only chooses how the character before is drawn, as in emoji."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _no_device(name: str) -> str:
    found = _DEVICES.match(name)
    return f"{found[0]}_{name[found.end() :]}" if found else name


def _within_limit(name: str) -> str:
    if len(name.encode()) <= LIMIT:
        return name
    room = LIMIT - _TAIL - 1
    cut = name.encode()[:room].decode(errors="ignore").rstrip("-. ")
    return f"{cut}-{_digest(name, _TAIL)}"


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:digits]
