"""How long things are waited for, and how often they are tried: one value, which tests replace."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """All constants of waiting. Times in seconds; what a user chooses is in `Settings`.

    >>> Timing(claim_patience=1.0).claim_look
    0.5
    """

    rate_window: float = 60.0
    """The window over which the service counts requests."""

    claim_patience: float = 150.0
    """How long another worker may take to write the task id after its claim: a submit's time-out and more."""

    claim_look: float = 0.5
    """Between two reads of another worker's claim."""

    claim_life: float = 60.0
    """The age at which a worker no longer trusts its own claim: it slept, and a person may have acted."""

    look_life: float = 5.0
    """The age up to which a look at what is begun serves for a submit that had to wait. Its claim is exclusive all the
    same; an old look only costs a turn in the pace of the account."""

    claim_reads: int = 5
    """How often a claim is looked for whose creation the storage called an error."""

    connect_tries: int = 5
    """Connections that are tried before a clip fails; nothing was sent, so each is safe."""

    settle_window: float = 1800.0
    """How long after its POST a task may appear in the list of the account's tasks."""

    settle_look: float = 2.0
    """Between the first looks into that list; a task that may be the one must stand alone in two of them."""

    settle_pause: float = 15.0
    """The same at most, as time goes on."""

    rate_tries: int = 60
    """Rate limits in a row that one clip sits out, a window and more each, before it is left for the next run."""

    stop_patience: float = 8.0
    """How long a stop waits for a POST under way, so that its task id is not lost."""

    refused_polls: int = 3
    """Refusals of a poll in a row, a poll interval apart, that are believed; a single one may be a gateway's."""

    download_tries: int = 8
    """Downloads that are tried, each with a freshly signed URL, before the clip is left for the next run."""

    download_pause: float = 1.0
    """Before the second try; doubled before each further one."""

    write_tries: int = 30
    """How often something is written that must not be lost."""

    write_pause: float = 10.0
    """At most, between two of those tries."""

    callback_look: float = 0.1
    """Between two checks for new callbacks, where a check costs nothing."""

    callback_look_remote: float = 2.0
    """The same where each check is a request."""

    callback_look_in_vain: float = 30.0
    """The same at most, where no callbacks are asked for and none has come yet."""

    others_patience: float = 30.0
    """How long a worker stays after it last saw others run what it waits for. The central scheduler's `retry_delay`
    should be well below."""

    @property
    def worker_patience(self) -> float:
        """How long a stopping worker waits for its coroutines: as long as they wait for a POST, and time to report."""
        return self.stop_patience + 2.0


USUAL = Timing()
"""The default."""
