"""The operators: one clip, or many in one task. They submit, defer while the clips are generated, and fetch."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from minimax_tasks.clips.make import Begun, MadeClip, begin_all, make_all
from minimax_tasks.clips.request import ClipRequest
from minimax_tasks.clips.service import Service
from minimax_tasks.engines.airflow.hooks import MiniMaxHook
from minimax_tasks.engines.airflow.links import VideoLink
from minimax_tasks.engines.airflow.triggers import ClipsTrigger
from minimax_tasks.engines.asking import request_of
from minimax_tasks.engines.cards import price, web_link
from minimax_tasks.engines.failures import is_worth_a_try
from minimax_tasks.errors import MiniMaxError
from minimax_tasks.settings import Settings


class _ClipsOperator(BaseOperator):
    """Clips of one task, however many."""

    template_fields: Sequence[str] = ("root", "minimax_conn_id")
    ui_color = "#f4e3d7"
    operator_extra_links = (VideoLink(),)

    def __init__(
        self,
        *,
        root: str | None = None,
        minimax_conn_id: str = MiniMaxHook.default_conn_name,
        deferrable: bool = True,
        **task: Any,
    ) -> None:
        super().__init__(**task)
        self.root = root
        self.minimax_conn_id = minimax_conn_id
        self.deferrable = deferrable
        self.video_link = ""
        self._stop: Callable[[], object] | None = None

    def asked(self) -> list[ClipRequest]:
        """The clips, as they are asked for once templates are filled in. Raises `InvalidRequest`."""
        raise NotImplementedError

    def result(self, clips: list[MadeClip]) -> Any:
        """What goes to XCom."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Submit, and defer until the clips are generated; without `deferrable`, wait here."""
        return self._go_on(context, {})

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Fetch what is generated."""
        return self._go_on(context, event.get("errors") or {})

    def on_kill(self) -> None:
        """Stop, but let submits under way come to their end, so that their task ids are kept."""
        if self._stop is not None:
            self._stop()

    def _go_on(self, context: Context, errors: Mapping[str, str]) -> Any:
        try:
            clips, settings = self.asked(), MiniMaxHook(self.minimax_conn_id).settings(self.root)
        except MiniMaxError as error:
            raise AirflowFailException(str(error)) from None
        begun = self._until_stopped(self._begin(clips, settings))
        waiting = [each.key for each in begun if each.waits]
        if given_up := [errors[key] for key in waiting if key in errors]:
            raise AirflowException("\n".join(given_up))
        if waiting:
            self.log.info("submitted, and waiting in the triggerer for %s", ", ".join(waiting))
            self.defer(
                trigger=ClipsTrigger(self.minimax_conn_id, settings.root, list(dict.fromkeys(waiting))),
                method_name="execute_complete",
            )
        made = _all_made(begun)
        self._show(made, settings, context)
        return self.result(made)

    async def _begin(self, clips: list[ClipRequest], settings: Settings) -> list[Begun]:
        def tell(number: int, status: str) -> None:
            self.log.info("%s: %s", clips[number].what, status)

        async with Service(settings) as service:
            if self.deferrable:
                return await begin_all(clips, root=settings.root, service=service, on_status=tell)
            outcomes = make_all(clips, root=settings.root, service=service, on_status=tell)
            ended = sorted([one async for one in outcomes], key=lambda one: one.number)
            return [Begun(one.clip.key if one.clip else "", one.clip, one.error) for one in ended]

    def _until_stopped(self, work: Coroutine[Any, Any, list[Begun]]) -> list[Begun]:
        async def stoppable() -> list[Begun]:
            doing, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
            self._stop = lambda: loop.call_soon_threadsafe(doing.cancel)
            try:
                return await doing
            finally:
                self._stop = None

        try:
            return asyncio.run(stoppable())
        except asyncio.CancelledError:
            raise AirflowException(
                "it was told to stop; clips that are submitted are paid for, and the next try goes on with them"
            ) from None
        except MiniMaxError as error:
            kind = AirflowException if is_worth_a_try(error) else AirflowFailException
            raise kind(str(error)) from None

    def _show(self, made: list[MadeClip], settings: Settings, context: Context) -> None:
        for clip in made:
            self.log.info("%s, %s, task %s", clip.path, price(clip.usd), clip.task_id)
            for warning in clip.warnings:
                self.log.warning("%s: %s", clip.path, warning)
        context["ti"].xcom_push(key="clips", value=[_told(clip) for clip in made])
        if made:
            self.video_link = web_link(made[0].path, settings)


class MiniMaxClipOperator(_ClipsOperator):
    """Makes one clip; its path goes to XCom, and under the key `clips` what it cost and which task it was.

    `request` is the fields of a request, `{"prompt": …}`; which are given decides the mode. It is templated, as are
    `root` and `minimax_conn_id`. `take` is another clip of the same request. Many at once:
    `.partial(…).expand(request=[…])`.

    A retry goes on from the clip's files: nothing is paid twice. What only a person can change fails without a retry.
    """

    template_fields: Sequence[str] = ("request", *_ClipsOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {"request": "json"}

    def __init__(self, *, request: Mapping[str, Any], take: int = 1, **task: Any) -> None:
        super().__init__(**task)
        self.request = request
        self.take = take

    def asked(self) -> list[ClipRequest]:
        """The clip. Raises `InvalidRequest`."""
        return [ClipRequest(request_of(self.request), take=self.take)]

    def result(self, clips: list[MadeClip]) -> str:
        """The path, or the URL of the storage."""
        return clips[0].path


class MiniMaxClipsOperator(_ClipsOperator):
    """Makes many clips in one task; their paths go to XCom, and under the key `clips` what each cost.

    `requests` is a list of fields as in `MiniMaxClipOperator`, and templated. One that fails does not keep the
    others from being made; the task fails after them.
    """

    template_fields: Sequence[str] = ("requests", *_ClipsOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {"requests": "json"}

    def __init__(self, *, requests: Sequence[Mapping[str, Any]], **task: Any) -> None:
        super().__init__(**task)
        self.requests = requests

    def asked(self) -> list[ClipRequest]:
        """The clips. Raises `InvalidRequest`."""
        return [ClipRequest(request_of(request)) for request in self.requests]

    def result(self, clips: list[MadeClip]) -> list[str]:
        """The paths, or the URLs of the storage."""
        return [clip.path for clip in clips]


def _all_made(begun: Sequence[Begun]) -> list[MadeClip]:
    """The clips; raises for those that failed, without another try where none can help."""
    failed = [each.error for each in begun if each.error is not None]
    for error in failed:
        if not isinstance(error, MiniMaxError):
            raise error
    if failed:
        kind = AirflowException if any(map(is_worth_a_try, failed)) else AirflowFailException
        raise kind("\n".join(dict.fromkeys(map(str, failed))))
    return [each.clip for each in begun if each.clip is not None]


def _told(clip: MadeClip) -> dict[str, Any]:
    return {
        "path": clip.path,
        "key": clip.key,
        "task_id": clip.task_id,
        "usd": clip.usd,
        "warnings": list(clip.warnings),
    }
