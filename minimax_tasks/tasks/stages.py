"""The three stages of a clip as Luigi tasks: `SubmitVideo` <- `PollVideo` <- `DownloadVideo`.

Each is complete when its file is there, so a stage that was done by anybody is never done again. Their
work is a coroutine (`run_async`), so that one process can keep many of them waiting; the plain Luigi
worker calls `run`.
"""

import asyncio
import json
import time
from typing import Any, cast

import luigi

from minimax_tasks.clips.camera_commands import judge_commands
from minimax_tasks.clips.events import ClipEvent, listening
from minimax_tasks.clips.folder import ClipFolder
from minimax_tasks.clips.layout import RESULT, SUBMISSION, VIDEO, clip_file, request_file
from minimax_tasks.clips.make import ClipMaker, resolve_clip
from minimax_tasks.clips.request import KEY, ClipRequest
from minimax_tasks.clips.service import Service
from minimax_tasks.errors import ApiError, GenerationFailed, InvalidRequest, MiniMaxError, SubmitRefused
from minimax_tasks.storage.files import Storage
from minimax_tasks.tasks.events import EVENTS, Event
from minimax_tasks.tasks.heard import announced
from minimax_tasks.tasks.naming import NamedTask
from minimax_tasks.tasks.owner import OfOwner, OwnedTask, OwnerParameter
from minimax_tasks.tasks.page import has_page, link_to_file, show
from minimax_tasks.tasks.parameters import RequestByName, RequestParameter, RootParameter, read_request
from minimax_tasks.tasks.run import current_run, submit_resources, submit_seconds, try_no_more
from minimax_tasks.tasks.target import FsspecTarget

STATUS = Event.STATUS

_MOST_WAITED = 95
"""Per cent that waiting alone gets to."""

_FOR_GOOD = (GenerationFailed, SubmitRefused)
"""Failures that stay as they are until a person asks for another try."""


class Stage(OwnedTask, NamedTask):
    """What the stages share: a clip, its folder under a root, and work that is a coroutine.

    This and the classes below are mixed into tasks and are no tasks themselves, so that Luigi's register
    of task names holds the public tasks only.
    """

    root = RootParameter()
    retry_count = OfOwner(3)
    """A stage that fails is safe to repeat, but a worker that is kept alive must not do so for ever."""

    file = ""
    """The file of the clip folder that says that the stage is done."""

    @property
    def clip(self) -> ClipRequest:
        """The clip that the stage is about."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """The clip's key."""
        return self.clip.key

    @property
    def folder(self) -> ClipFolder:
        """The clip's folder."""
        return ClipFolder(Storage(self.root), self.key, current_run().timing)

    def complete(self) -> bool:
        """Whether all is there that `output` names."""
        with announced(self):
            return bool(super().complete())

    def output(self) -> FsspecTarget:
        """The file that the stage leaves in the clip's folder."""
        return FsspecTarget(f"{self.root}/{clip_file(self.key, self.file)}")

    @property
    def maker(self) -> ClipMaker:
        """What does the work."""
        return ClipMaker(Storage(self.root), current_run().service(self))

    async def wait(self) -> None:
        """Wait until the clip is generated, with another paid attempt only where the settings allow one."""
        maker = self.maker
        showing = asyncio.ensure_future(self._show_waiting(maker.service)) if has_page(self) else None
        try:
            await maker.wait(lambda: self.clip, self.folder, on_status=self.report)
        finally:
            if showing is not None:
                showing.cancel()

    async def run_async(self) -> None:
        """Do the stage; what happens to the clip meanwhile are events of the task."""
        if has_page(self):
            show(self, tracking_url=await asyncio.to_thread(self._link))
        try:
            with listening(self._hear):
                await super().run_async()
        except MiniMaxError as error:
            if isinstance(error, _FOR_GOOD) or (isinstance(error, ApiError) and error.is_about_the_request):
                await asyncio.to_thread(try_no_more, self)
            raise
        if has_page(self):
            show(self, progress_percentage=100)

    def _link(self) -> str:
        return link_to_file(self.root, clip_file(self.key, VIDEO))

    def _hear(self, event: ClipEvent) -> None:
        self.trigger_event(EVENTS[event.happened], self, event)

    async def _show_waiting(self, service: Service) -> None:
        """Show how much of the usual time of a clip is over; only the end is the end."""
        began, told, usual = time.monotonic(), -1, service.first_poll.usual_seconds
        while True:
            share = min(_MOST_WAITED, int(100 * (time.monotonic() - began) / usual))
            if share != told:
                show(self, progress_percentage=share)
                told = share
            await asyncio.sleep(service.settings.poll_interval)

    def report(self, status: str) -> None:
        """Show a status in Luigi's visualiser, where the task runs under a worker, and as an event."""
        self.trigger_event(Event.STATUS, self, status)
        show(self, status_message=status)


class Submit(Stage):
    """Submits a clip: the one stage that costs money, done at most once for a clip."""

    priority = OfOwner(10)
    file = SUBMISSION
    pays = True

    def process_resources(self) -> dict[str, int]:
        """Its own resources, and that of the setting `submit_resource`, if any."""
        return {**super().process_resources(), **submit_resources(self)}

    async def _work(self) -> None:
        """Submit the clip unless it was; with a resource, hold it as long as the rate asks."""
        await asyncio.gather(self._submit(), asyncio.sleep(submit_seconds(self)))

    async def _submit(self) -> None:
        maker = self.maker
        await maker.check_root()
        await maker.submit(self.clip, self.folder, on_status=self.report)


class Poll(Stage):
    """Waits until a submitted clip is generated."""

    priority = OfOwner(20)
    file = RESULT

    async def _work(self) -> None:
        """Poll until the task is over."""
        await self.wait()


class Download(Stage):
    """Fetches a generated clip before its URL expires."""

    priority = OfOwner(30)
    file = VIDEO

    async def _work(self) -> None:
        """Download the clip."""
        await self.wait()
        await self.maker.fetch(self.folder)


_kept: set[tuple[str, str, str]] = set()
"""Root and name of the requests that this process has kept."""


class _OfRequest(Stage):
    request = RequestParameter()
    owner = OwnerParameter()

    def __init__(self, *arguments: Any, **parameters: Any) -> None:
        super().__init__(*arguments, **parameters)
        if self._is_whole:
            clip = ClipRequest.from_json(self.request)
            judge_commands(Storage(self.root), clip.request, clip.take)

    @property
    def _is_whole(self) -> bool:
        """Whether the parameter is the request, and neither a name of it nor a task."""
        return (
            self._asking is None
            and not isinstance(self.request, RequestByName)
            and not KEY.fullmatch(self.request)
        )

    @property
    def _asking(self) -> Any:
        """The task that says what is asked, if that is known only once others are complete."""
        return self.request if isinstance(self.request, luigi.Task) else None

    @property
    def _words(self) -> str:
        if self._asking is not None:
            return str(self._asking._words)
        if isinstance(self.request, RequestByName):
            return self.request.words
        return read_request(self.request).words if self._is_whole else "clip"

    @property
    def _digits(self) -> str:
        if self._asking is not None:
            return str(self._asking._digits)
        found = read_request(self.request).id if self._is_whole else str(self.request)
        return found.rpartition("-")[2]

    @property
    def clip(self) -> ClipRequest:
        """The clip that is asked for. Raises `InvalidRequest` when only its key is known."""
        root = Storage(self.root)
        if self._asking is not None:
            return cast(ClipRequest, self._asking.clip)
        if self._is_whole:
            return resolve_clip(root, ClipRequest.from_json(self.request))
        kept = root.read_json(request_file(self.request))
        if kept is None:
            raise InvalidRequest(
                "request", self.request, "the whole request", "this clip was never submitted"
            )
        return resolve_clip(root, ClipRequest.from_json(json.dumps(kept)))

    @property
    def key(self) -> str:
        """The clip's key."""
        if self._asking is None and KEY.fullmatch(self.request):
            return str(self.request)
        return self.clip.key

    def complete(self) -> bool:
        """Whether the stage is done; it is not while it is unknown what is asked."""
        return bool(self._asking is None or self._asking._is_known()) and super().complete()

    def to_str_params(self, only_significant: bool = False, only_public: bool = False) -> dict[str, str]:
        """The parameters by name; the request is kept under the root first, for callers that have only its name."""
        if not (only_significant or only_public or current_run().schedules_alone):
            self._keep_request()
        return super().to_str_params(only_significant, only_public)

    def _keep_request(self) -> None:
        if not self._is_whole or not (asked := read_request(self.request)).is_clean:
            return
        root = Storage(self.root)
        if (place := (root.url, root.base, asked.id)) not in _kept:
            root.write_json(request_file(asked.id), json.loads(self.request), durable=False)
            _kept.add(place)


class SubmitVideo(_OfRequest, Submit, luigi.Task):
    """Submits one clip. `request` is a request, its JSON, or the key of a clip that was submitted."""

    def requires(self) -> list[luigi.Task]:
        """The tasks that make what the clip starts from."""
        return [] if self._asking is None else list(self._asking._upstream().values())


class PollVideo(_OfRequest, Poll, luigi.Task):
    """Waits for one clip. Resuming needs the clip folder alone."""

    def requires(self) -> SubmitVideo:
        """The submit."""
        return SubmitVideo(request=self.request, root=self.root, owner=self.first_owner)


class DownloadVideo(_OfRequest, Download, luigi.Task):
    """Makes one clip: its output is the finished MP4."""

    def requires(self) -> PollVideo:
        """The wait."""
        return PollVideo(request=self.request, root=self.root, owner=self.first_owner)
