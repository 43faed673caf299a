"""The events of our tasks, beside those of Luigi."""

import luigi

from minimax_tasks.clips.events import Happened


class Event(luigi.Event):
    """Luigi's events and ours. Handlers of the first four get the task and a `ClipEvent`, those of STATUS a text.

    >>> @luigi.Task.event_handler(Event.PAID)
    ... def paid(task, clip):
    ...     print(clip.key, clip.task_id, clip.usd)
    """

    PAID = "event.minimax.paid"
    """A clip was accepted by the service, which is what it asks money for."""
    DELIVERED = "event.minimax.delivered"
    """A video is on storage, checked."""
    FAILED = "event.minimax.failed"
    """A clip is over without a video: refused, or its generation failed."""
    IN_DOUBT = "event.minimax.in_doubt"
    """It is not known whether a clip was accepted and paid for; a person must settle it."""
    STATUS = "event.minimax.status"
    """A stage of a clip has news in words."""


EVENTS = {
    Happened.PAID: Event.PAID,
    Happened.DELIVERED: Event.DELIVERED,
    Happened.FAILED: Event.FAILED,
    Happened.IN_DOUBT: Event.IN_DOUBT,
}
"""What happened to a clip -> Luigi's event of it."""
