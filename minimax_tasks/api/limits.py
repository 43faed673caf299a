"""How much, and for how long, the service may keep a client busy. What it sends is bounded as it arrives."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of answers and downloads. Sizes in bytes, after unpacking; times in seconds."""

    answer: int = 4 * 2**20
    """An answer of the API has a few hundred bytes; error pages of gateways have some thousands."""
    download: int = 2 * 2**30
    """The service's own limit for a file is 512 MB."""
    download_time: float = 1800.0
    """From the first byte of a body to the last: a URL is valid for at least an hour; a newer one is asked for then."""
    slowest: float = 1024.0
    """Bytes a second below which a download is abandoned, so that it does not block others."""
    window: float = 60.0
    """The time over which the speed of a download is judged."""
