"""What Luigi's page shows of a running task: how far it is, a word of it, and a link to what it makes."""

from typing import Any

import luigi

from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.links import link_to
from minimax_tasks.tasks.run import current_run, show_link


def has_page(task: luigi.Task) -> bool:
    """Whether a worker runs the task and people may look at it: its scheduler is not one of this process alone."""
    return getattr(task, "set_tracking_url", None) is not None and not current_run().schedules_alone


def show(task: luigi.Task, **news: Any) -> None:
    """Show `status_message`, `progress_percentage` or `tracking_url`, where a worker runs the task."""
    for name, value in news.items():
        tell = getattr(task, f"set_{name}", None)
        if tell is None or value in (None, ""):
            continue
        if name == "tracking_url":
            show_link(task, value)
        else:
            tell(value)


def link_to_file(root: str, name: str) -> str:
    """Where a person looks at a file of a root in a browser; "" where nobody knows."""
    return link_to(Storage(root), name, current_run().settings().tracking_url)
