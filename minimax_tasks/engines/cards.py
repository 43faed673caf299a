"""What the pages of an engine show of a clip or a film: a still, the price, what was asked, where it is."""

import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from minimax_tasks.api.requests import AnyRequest
from minimax_tasks.clips.make import MadeClip
from minimax_tasks.engines.boards import MadeFilm
from minimax_tasks.errors import MiniMaxError
from minimax_tasks.settings import Settings
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.links import link_to

log = logging.getLogger(__name__)

STILL_WIDTH = 320
"""Pixels: engines keep what is shown in their database, so it is small."""

THUMBNAIL = 700
"""Characters: with a link around it, Dagster shows it in a list, where it folds longer texts away."""

THUMBNAIL_WIDTHS = range(160, 31, -16)
"""Pixels, the first that fits is taken."""


@dataclass(frozen=True)
class Card:
    """A video as a page shows it."""

    title: str
    """What makes it, and what it shows."""
    rows: Mapping[str, str]
    """What is said of it, by name, in Markdown."""
    still: str
    """The first frame as a data URL; "" when it cannot be read."""
    thumbnail: str
    """The same in at most `THUMBNAIL` characters."""
    link: str
    """Where a browser finds the video; "" where no address is known."""

    @property
    def picture(self) -> str:
        """The first frame in Markdown, which leads to the video where there is an address."""
        return self._leading_to_video(self.still)

    @property
    def small_picture(self) -> str:
        """The thumbnail in Markdown, with the same address."""
        return self._leading_to_video(self.thumbnail)

    def _leading_to_video(self, picture: str) -> str:
        return f"[{_image(picture) or 'video'}]({self.link})" if self.link else _image(picture)

    @property
    def markdown(self) -> str:
        """All of it in Markdown."""
        lines = [f"| {name} | {value} |" for name, value in self.rows.items()]
        # Prefect shows no picture within a link.
        return "\n".join([_image(self.still), "", f"| | {_in_markdown(self.title)} |", "|---|---|", *lines])


def clip_card(request: AnyRequest, clip: MadeClip, settings: Settings) -> Card:
    """The card of a clip under the root of these settings."""
    prompt, link = request.prompt_text, web_link(clip.path, settings)
    rows = {"price": price(clip.usd), "video": _path(clip.path, link), "task": f"`{clip.task_id}`"}
    if clip.warnings:
        rows["warnings"] = "; ".join(map(_in_markdown, clip.warnings))
    title = request.label + (f": {prompt}" if prompt else "")
    return Card(title, rows, *_stills(clip.path), link)


def film_card(title: str, film: MadeFilm, settings: Settings) -> Card:
    """The card of a film under the root of these settings, with its report."""
    links = {path: web_link(path, settings) for path in (film.path, film.report)}
    rows = {
        "price": price(film.usd),
        "report": _path(film.report, links[film.report]),
        "film": _path(film.path, links[film.path]),
    }
    if film.notes:
        rows["notes"] = "; ".join(map(_in_markdown, film.notes))
    return Card(title, rows, *_stills(film.path), links[film.path])


def _stills(video: str) -> tuple[str, str]:
    """The first frame of a video on storage as data URLs, and small; "" when it cannot be read: no clip fails for it."""
    from minimax_tasks.video.frames import first_frame
    from minimax_tasks.video.previews import jpeg, webp

    folder, _, name = video.rpartition("/")
    try:
        with Storage(folder).as_local(name) as path:
            frame = first_frame(path)
    except (MiniMaxError, OSError) as error:
        log.warning("no still of %s: %s", video, error)
        return "", ""
    small = (_data_url("webp", webp(frame, width, quality=30)) for width in THUMBNAIL_WIDTHS)
    return (
        _data_url("jpeg", jpeg(frame, STILL_WIDTH)),
        next((url for url in small if len(url) <= THUMBNAIL), ""),
    )


def _data_url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def web_link(path: str, settings: Settings) -> str:
    """Where a browser finds a file under the root (setting `tracking_url`); "" where no address is known."""
    root = Storage(settings.root)
    link = link_to(root, path.removeprefix(root.join("")), settings.tracking_url)
    return (
        link if link.startswith(("http://", "https://")) else ""
    )  # pages may not lead to files of a machine


def price(usd: float | None) -> str:
    """Money for people; clips of some models have no published price."""
    return "no published price" if usd is None else f"USD {usd:.2f}"


def _path(path: str, link: str) -> str:
    return f"[{_in_markdown(path)}]({link})" if link else f"`{path}`"


def _image(data_url: str) -> str:
    return f"![first frame]({data_url})" if data_url else ""


def _in_markdown(text: str) -> str:
    """A text of others that Markdown takes for text."""
    for mark in "\\`*_[]<>|!":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
