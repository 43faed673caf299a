"""Shots -> segments: what each is made from, what it waits for, how it joins, and what is wrong with it.

Nothing is sent and nothing is written here. All mistakes of a board are found in one go.
"""

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from minimax_tasks.api.catalog.cameras import Move
from minimax_tasks.api.catalog.models import MODELS, Mode
from minimax_tasks.api.characters import forbidden_character
from minimax_tasks.api.requests import REQUESTS, AnyRequest, VideoRequest
from minimax_tasks.api.suggest import suggest
from minimax_tasks.clips.frames import LENGTH_TOLERANCE, measured, moment_in
from minimax_tasks.clips.pictures import known_clip
from minimax_tasks.clips.request import FrameOf
from minimax_tasks.clips.spellings import is_begun
from minimax_tasks.errors import BoardError, CameraError, InvalidRequest, PictureError, PromptError
from minimax_tasks.prompts.bracket_commands import (
    check_prompt,
    find_commands,
    normalise_brackets,
    spellings_before,
)
from minimax_tasks.prompts.camera import NO_MOVE, camera_warnings, parse_camera
from minimax_tasks.prompts.render import write_prompt
from minimax_tasks.redaction import quoted, shortened, shown
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.references import beside, folder_of
from minimax_tasks.storyboard.board import MOST_TOLD, Board, Problem, Shot, all_shown, read_board
from minimax_tasks.storyboard.cuts import read_cut
from minimax_tasks.storyboard.files import read_text, template_folder
from minimax_tasks.storyboard.places import no_such_frame
from minimax_tasks.storyboard.plan import Join, Plan, PlannedShot, Segment, Source
from minimax_tasks.storyboard.planning.checks import (
    circles,
    drifting,
    same_clips,
    short_shots,
    unused_frames,
)
from minimax_tasks.storyboard.planning.draft import Draft
from minimax_tasks.storyboard.planning.stills import Still, read_still
from minimax_tasks.storyboard.shapes import Shapes
from minimax_tasks.storyboard.yaml_document import Document, Path

DEFAULT_MODEL = {
    Mode.TEXT: "MiniMax-Hailuo-2.3",
    Mode.IMAGE: "MiniMax-Hailuo-2.3",
    Mode.START_END: "MiniMax-Hailuo-02",
    Mode.SUBJECT: "S2V-01",
}
"""For boards that name no model."""

_MOST_COMPARED = 500
"""Names that a misspelt one is compared with."""

_OF_SHOT = re.compile(r"(?P<shot>.+?)(\.(?P<place>first|last)|@(?P<seconds>[0-9]{1,4}(\.[0-9]{1,6})?))")
_JINJA = re.compile(r"\{\{[^{}\n]{0,60}\}\}|\{%[^{}\n]{0,60}%\}")
_PATH_LIKE = re.compile(r"[/\\]|\.(png|jpe?g|webp)$|^[a-z0-9+]+:", re.IGNORECASE)


def make_plan(path: str, *, root: str, language: str) -> Plan:
    """Read a board and decide everything about it.

    `root` tells which pictures may be gone because their clips are paid for; `language` is that of camera
    brackets, "en" or "zh", unless the board sets one. Raises `BoardError` with every mistake at once.
    """
    board, document, problems = read_board(read_text(path))
    if board is None:
        raise BoardError(all_shown(problems, path))
    planning = _Planning(path, board, document, Storage(root), board.language or language, problems)
    if character := forbidden_character(board.title):
        planning.problems.append(
            Problem(document.line(("title",)), f"title: there is {character}, in it; take it out")
        )
    shots = planning.shots()
    if planning.problems:
        raise BoardError(all_shown(planning.problems, path))
    return Plan(path, board, shots, tuple(dict.fromkeys(planning.warnings)))


class _Planning:
    """The work of `make_plan`, with what it finds wrong on the way."""

    def __init__(
        self,
        path: str,
        board: Board,
        document: Document,
        root: Storage,
        language: str,
        problems: list[Problem],
    ) -> None:
        self._path = path
        self._board = board
        self._document = document
        self._root = root
        self._language = language
        self._folder = folder_of(path)
        self._stills: dict[str, Still | None] = {}
        self._drafts = [
            Draft(index, shot, board.defaults.seconds if shot.seconds is None else shot.seconds)
            for index, shot in enumerate(board.shots)
        ]
        self._by_id = {draft.shot.id: draft for draft in self._drafts}
        self._shapes = Shapes(self._drafts)
        self.problems = list(problems)
        self.warnings: list[str] = []

    def shots(self) -> tuple[PlannedShot, ...]:
        self._judge_names_of_frames()
        for draft in self._drafts:
            self._decide_frames(draft)
        for draft in self._drafts:
            self._write_prompt(draft)
        for draft in self._drafts:
            # Finds what is wrong with each, whatever it waits for.
            request = self._make_request(draft, {})
            if isinstance(request, VideoRequest) and request.mode is not Mode.SUBJECT:
                draft.lines = int(request.size[0].removesuffix("P"))
        for mistake in (*circles(self._drafts), *short_shots(self._drafts)):
            self._wrong(*mistake)
        for draft, text, is_mistake in self._shapes.cropped_ends():
            if is_mistake:
                self._wrong(draft, "to", text)
            else:
                draft.warnings.append(text)
        if self.problems:
            for draft in self._drafts:
                self._tell_wrong_commands(draft)
        else:
            for draft in self._drafts:
                self._make_segments(draft)
            for draft, warning in (
                *drifting(self._drafts),
                *same_clips(self._drafts),
            ):
                draft.warnings.append(warning)
            self.warnings += self._shapes.with_bars()
            self.warnings += unused_frames(self._board, self._drafts)
        return tuple(
            PlannedShot(
                draft.shot,
                self._line(draft, "id"),
                draft.segments,
                draft.join,
                draft.prompt,
                _commands(draft.prompt) or draft.camera,
                draft.first,
                draft.last,
                tuple(dict.fromkeys(draft.warnings)),
            )
            for draft in self._drafts
        )

    # -- frames and joins

    def _judge_names_of_frames(self) -> None:
        for name in self._board.frames:
            found = _OF_SHOT.fullmatch(name)
            if found and found["shot"] in self._by_id:
                text = f"frames: {quoted(name)} is how a frame of shot {found['shot']} is called; give it another name"
                self.problems.append(Problem(self._document.line(("frames", name)), text))

    def _decide_frames(self, draft: Draft) -> None:
        shot = draft.shot
        before = self._drafts[draft.index - 1] if draft.index else None
        transition = self._transition(draft)
        draft.last = self._source(draft, "to", shot.to) if shot.to else None
        if shot.from_ and shot.continue_:
            self._wrong(draft, "continue", "a shot has `from` or `continue`, not both; remove one of them")
        if shot.subject and (shot.from_ or shot.to or shot.continue_):
            self._wrong(
                draft,
                "subject",
                "a shot with a subject takes no `from`, `to` or `continue`; S2V-01 has no frames",
            )
        if shot.subject:
            if before and not shot.cut:
                draft.warnings.append("a shot with a subject cannot continue the one before: it cuts")
        elif shot.from_:
            draft.first = self._source(draft, "from", shot.from_)
            if before and not shot.cut and draft.first and _is_same(draft.first, before.last):
                draft.first = replace(draft.first, end_of=before.shot.id)
        elif before and not shot.cut:
            draft.first = self._continued(draft, before)
        elif shot.continue_:
            why = "a cut breaks the chain; remove one of them" if before else "this is the first shot"
            self._wrong(draft, "continue", f"there is nothing to continue: {why}")
        if before is None:
            if shot.cut:
                draft.warnings.append("the first shot has nothing to cut from")
            return
        repeats = self._repeats(draft, before)
        if transition is not None:
            draft.join = Join(*transition)
        else:
            draft.join = Join(
                "continues" if repeats and not shot.cut else "cut", repeats_frame=repeats and not shot.cut
            )

    def _transition(self, draft: Draft) -> tuple[str, float] | None:
        """Name and seconds of a transition; None for a plain cut or none at all."""
        cut = draft.shot.cut
        if not isinstance(cut, str) or cut.strip() in ("cut", "hard"):
            return None
        read = read_cut(cut, self._nearest)
        if isinstance(read, str):
            self._wrong(draft, "cut", read)
            return None
        return read

    def _continued(self, draft: Draft, before: Draft) -> Source | None:
        """The end of the shot before: its `to` still, else the last frame of what was made."""
        wish = draft.shot.continue_
        if wish in (None, "still") and before.last is not None:
            end = before.last
            label = f"continues {before.shot.id}: {end.label}"
            return replace(end, label=label, end_of=before.shot.id)
        if wish in (None, "frame"):
            return Source(f"continues {before.shot.id}", shot=before.shot.id)
        if wish == "still":
            self._wrong(
                draft, "continue", f"shot {before.shot.id} has no `to` still; write `continue: frame`"
            )
            return None
        if wish in self._by_id and wish != draft.shot.id:
            return Source(f"continues {wish}", shot=str(wish))
        # Of ids that are numbers a near one is another shot, not a slip.
        others = (name for name in self._by_id if name != draft.shot.id and not str(wish).isdecimal())
        near = self._nearest(str(wish), itertools.chain(("frame", "still"), others))
        guess = f"; did you mean {near!r}?" if near else ": there is no such shot;"
        self._wrong(
            draft,
            "continue",
            f"continue = {quoted(wish)}{guess} allowed: frame, still, or the id of another shot",
        )
        return None

    def _repeats(self, draft: Draft, before: Draft) -> bool:
        first = draft.first
        if first is None:
            return False
        return first.end_of == before.shot.id or (first.shot == before.shot.id and first.place == "last")

    def _source(self, draft: Draft, key: str, wanted: str) -> Source | None:
        if wanted in self._board.frames:
            reference = beside(self._folder, self._board.frames[wanted])
            still = self._still(reference, wanted, self._document.line(("frames", wanted)), draft)
            return Source(wanted, still, file=_short(self._board.frames[wanted]))
        found = _OF_SHOT.fullmatch(wanted)
        if found and found["shot"] in self._by_id:
            if found["shot"] == draft.shot.id:
                self._wrong(draft, key, f"{key}: a shot cannot be made from its own frame")
                return None
            length = self._by_id[found["shot"]].length
            if found["seconds"] and float(found["seconds"]) >= length + LENGTH_TOLERANCE:
                self._wrong(draft, key, _too_late(key, wanted, found["shot"], length))
                return None
            place = found["place"] or found["seconds"]
            label = f"{place} frame of {found['shot']}" if found["place"] else f"{found['shot']} at {place} s"
            return Source(label, shot=found["shot"], place=place)
        if _PATH_LIKE.search(wanted):
            reference = beside(self._folder, wanted)
            return Source(_short(wanted), self._still(reference, wanted, self._line(draft, key), draft))
        text = no_such_frame(
            key,
            wanted,
            own=draft.shot.id,
            frames=self._board.frames,
            shots=self._by_id.keys(),
            near=self._nearest,
        )
        self._wrong(draft, key, text)
        return None

    def _still(self, reference: str, name: str, line: int, draft: Draft) -> Still | None:
        if reference not in self._stills:
            try:
                self._stills[reference] = read_still(
                    reference, name, self._root, fit=self._board.defaults.fit
                )
            except PictureError as error:
                self._stills[reference] = None
                written = _short(self._board.frames.get(name, name))
                named = f"{shortened(name)} ({written})" if name in self._board.frames else written
                text = f"picture {named}: {error.why}; allowed: {error.allowed}"
                self.problems.append(Problem(line, text, draft.shot.id))
        return self._stills[reference]

    # -- prompts

    def _write_prompt(self, draft: Draft) -> None:
        shot = draft.shot
        if shot.template and shot.prompt is not None:
            self._wrong(draft, "prompt", "a shot has `template` or `prompt`, not both; remove one of them")
            return
        model = self._model(draft)
        characters = [self._character(draft, name) for name in shot.characters]
        try:
            if shot.camera is not None:
                draft.camera = parse_camera(shot.camera)
                if not draft.camera:
                    raise CameraError(NO_MOVE)
        except CameraError as error:
            self._wrong(draft, "camera", f"camera: {error}")
            draft.prompt_is_wrong = True
        template = None if shot.prompt is not None else shot.template or self._board.defaults.template
        try:
            written = write_prompt(
                text=shot.prompt,
                template=template,
                values=self._values(shot),
                camera=draft.camera,
                look=self._board.look,
                characters=characters,
                model=model,
                language=self._language,
                folder=template_folder(self._folder),
            )
        except (PromptError, CameraError) as error:
            draft.prompt_is_wrong = True
            self._wrong(draft, "prompt" if shot.prompt is not None else "template", str(error))
            return
        draft.prompt = normalise_brackets(written)
        draft.written = spellings_before(written)
        wrong, doubts = check_prompt(written, model=model, camera=draft.camera)
        draft.wrong_commands = wrong
        draft.warnings += doubts
        draft.warnings += camera_warnings(draft.camera, draft.length, model)
        draft.warnings += self._unrendered(draft, characters)

    def _tell_wrong_commands(self, draft: Draft) -> None:
        """Commands that are none, unless the shot was paid for with them, by a version that let them pass."""
        if not draft.wrong_commands:
            return
        if draft.segments and all(is_begun(self._root, segment.key) for segment in draft.segments):
            draft.warnings += draft.wrong_commands
            return
        for text in draft.wrong_commands:
            self._wrong(draft, "prompt" if draft.shot.prompt is not None else "action", text)

    def _unrendered(self, draft: Draft, characters: list[str]) -> list[str]:
        """What looks like Jinja in a value, where it is a text like any other."""
        values = [*self._values(draft.shot).items(), ("look", self._board.look)]
        values += [("desc", description) for description in characters]
        return [
            f"{name} has {found.group()} in it, which is sent as it stands; only `prompt` and templates are rendered"
            for name, value in values
            if name not in ("notes", "dialogue")
            and isinstance(value, str)
            and (found := _JINJA.search(value))
        ]

    def _values(self, shot: Shot) -> Mapping[str, object]:
        own = {name: getattr(shot, name) for name in ("action", "place", "dialogue", "notes")}
        return {name: value for name, value in own.items() if value is not None} | shot.vars

    def _character(self, draft: Draft, name: str) -> str:
        member = self._board.cast.get(name)
        if member is not None:
            return member.desc
        near = self._nearest(name, self._board.cast)
        guess = f"; did you mean {near!r}?" if near else ""
        known = shortened(", ".join(self._board.cast), 1000) or "nobody"
        self._wrong(
            draft, "characters", f"characters: nobody is called {quoted(name)}{guess}; in `cast`: {known}"
        )
        return name

    # -- requests

    def _mode(self, draft: Draft) -> Mode:
        if draft.shot.subject:
            return Mode.SUBJECT
        if draft.shot.to:
            return Mode.START_END
        return Mode.IMAGE if draft.first or draft.shot.from_ else Mode.TEXT

    def _model(self, draft: Draft) -> str:
        mode = self._mode(draft)
        default = None if mode is Mode.SUBJECT else self._board.defaults.model
        return draft.shot.model or default or DEFAULT_MODEL[mode]

    def _make_segments(self, draft: Draft) -> None:
        """Make the segments of a shot, after those of the shots that it takes frames from."""
        if draft.segments:
            return
        after: dict[str, Segment] = {}
        for source in (draft.first, draft.last):
            if source is not None and source.shot:
                other = self._by_id[source.shot]
                self._make_segments(other)
                if not other.segments:
                    return
                after[source.shot] = other.segments[min(other.shot.pick, len(other.segments)) - 1]
        request = self._make_request(draft, after)
        if request is not None:
            takes = draft.shot.takes or self._board.defaults.takes
            waits = tuple(after.values())
            self._judge_frames(draft, after)
            crop = self._shapes.crop(draft)
            shapes = {"first_frame_image": crop} if crop else {}
            try:
                clips = [
                    known_clip(self._root, request, take, written=draft.written, shapes=shapes)
                    for take in range(1, takes + 1)
                ]
            except PictureError as error:  # it is gone; only clips that are paid for do without it
                key = _BOARD_KEYS.get(error.field, error.field)
                still = self._stills.get(str(error.value))
                name = still.name if still else _short(str(error.value))
                self._wrong(draft, key, f"picture {name}: {error.why}")
                return
            draft.segments = tuple(Segment(draft.shot.id, clip.take, clip, waits) for clip in clips)
            draft.warnings += request.warnings
            self._tell_wrong_commands(draft)
            draft.warnings += self._notes(draft)

    def _make_request(self, draft: Draft, after: Mapping[str, Segment]) -> AnyRequest | None:
        shot, mode = draft.shot, self._mode(draft)
        fields: dict[str, object] = {
            "model": self._model(draft),
            "prompt": draft.prompt,
            "fit": self._board.defaults.fit,
        }
        if draft.prompt_is_wrong or (not draft.prompt and shot.id in {wrong.shot for wrong in self.problems}):
            fields["prompt"] = "?"  # what else is wrong may be why it is empty
        optimizer = (
            shot.prompt_optimizer
            if shot.prompt_optimizer is not None
            else self._board.defaults.prompt_optimizer
        )
        if optimizer is None and draft.first is not None and draft.first.shot:
            optimizer = (
                False  # the optimizer describes the picture again; a continuation says only what changes
            )
        if optimizer is not None:
            fields["prompt_optimizer"] = optimizer
        if mode is Mode.SUBJECT:
            fields["subject_image"] = self._subject(draft)
            fields |= {"resolution": shot.resolution, "duration": shot.seconds}
        else:
            fields["resolution"] = shot.resolution or self._board.defaults.resolution
            fields["duration"] = draft.seconds
        for name, source in (("first_frame_image", draft.first), ("last_frame_image", draft.last)):
            if source is not None:
                fields[name] = self._reference(source, after)
        if mode is Mode.START_END and draft.first is None and not (shot.from_ or shot.continue_):
            way = ", or let the shot continue the one before" if draft.index else ""
            self._wrong(draft, "to", f"`to` needs a start: give `from`{way}")
            return None
        if mode is Mode.START_END:
            fields.setdefault("first_frame_image", "?")
            fields.setdefault("last_frame_image", "?")
        elif mode is Mode.IMAGE:
            fields.setdefault("first_frame_image", "?")
        takes = shot.takes or self._board.defaults.takes
        if shot.pick > takes:
            self._wrong(draft, "pick", f"pick = {shot.pick}; allowed: 1 to {takes}, the number of `takes`")
        while True:
            try:
                return REQUESTS[mode](**fields)
            except InvalidRequest as error:
                self._wrong(draft, *self._in_board_words(draft, mode, error))
                if error.field not in _INDEPENDENT or fields.get(error.field) is None:
                    return None
                fields[error.field] = None  # what else is wrong shows without it

    def _subject(self, draft: Draft) -> str:
        wanted = str(draft.shot.subject)
        if wanted in self._board.frames or _PATH_LIKE.search(wanted):
            source = self._source(draft, "subject", wanted)
            if source is not None and source.still is not None:
                return source.still.reference
            return "?"
        self._source(draft, "subject", wanted)
        return "?"

    def _notes(self, draft: Draft) -> list[str]:
        """What is done to the stills of a shot before they are sent."""
        stills = [source.still for source in (draft.first, draft.last) if source and source.still]
        if draft.shot.subject:
            subject = self._board.frames.get(draft.shot.subject, draft.shot.subject)
            face = self._stills.get(beside(self._folder, subject))
            stills += [face] if face else []
        return [f"picture {_short(still.name)}: {note}" for still in stills for note in still.notes]

    def _reference(self, source: Source, after: Mapping[str, Segment]) -> str:
        if source.still is not None:
            return source.still.reference
        return str(FrameOf(after[source.shot].key, source.place)) if source.shot in after else "?"

    def _judge_frames(self, draft: Draft, after: Mapping[str, Segment]) -> None:
        """Moments near the end of a shot: of a clip that is made its own length decides."""
        for key, source in (("from", draft.first), ("to", draft.last)):
            if source is None or not source.shot or source.place in ("first", "last"):
                continue
            other = self._by_id[source.shot]
            frame = FrameOf(after[source.shot].key, source.place)
            made = measured(self._root, frame.key)
            try:
                doubt = moment_in(frame, made.seconds) if made else ""
            except PictureError as error:
                self._wrong(draft, key, f"{key} = {source.label}: {error.why}, which shot {source.shot} is")
                continue
            if made is None and float(source.place) >= other.length:
                wanted = f"{source.shot}@{source.place}"
                self._wrong(draft, key, _too_late(key, wanted, source.shot, other.length))
            elif made is None and float(source.place) > other.length - LENGTH_TOLERANCE:
                doubt = (
                    f"{source.label}: a clip may be up to {LENGTH_TOLERANCE:g} s shorter than was asked; if there is no "
                    "such moment in it, its last frame is taken"
                )
            if doubt:
                draft.warnings.append(
                    f"{key} = {doubt}" if made is None else f"{key} = {source.label}: {doubt}"
                )

    def _in_board_words(self, draft: Draft, mode: Mode, error: InvalidRequest) -> tuple[str, str]:
        key = _BOARD_KEYS.get(error.field, error.field)
        why, allowed = error.why, error.allowed
        if key == "model" and error.value not in MODELS:
            near = suggest(str(error.value), MODELS)
            guess = f"did you mean {near}? " if near else ""
            return (
                key,
                f"model = {shortened(str(error.value))}: there is no such model; {guess}Allowed: {', '.join(MODELS)}",
            )
        if key == "model":
            does = {
                Mode.TEXT: "a shot from text alone",
                Mode.IMAGE: "a shot that starts from a picture"
                if draft.shot.from_
                else "a shot that continues the one before",
                Mode.START_END: "a shot with `to` (start-end frames)",
                Mode.SUBJECT: "a shot with a subject",
            }[mode]
            text = f"model = {error.value}: it cannot make {does}; allowed: {allowed}"
            if mode is Mode.IMAGE and not draft.shot.from_:
                text += "; or write `cut: true` to start anew from the text"
            return key, text
        value = shortened(str(error.value)) if error.value is not None else "(none)"
        if key == "prompt":
            return key, f"prompt: {why}; allowed: {allowed}"
        origin = ""
        if key in ("resolution", "seconds") and getattr(draft.shot, key) is None:
            origin = f" (from the board's defaults; write {key} in the shot to have another)"
        return key, f"{key} = {value}{origin}: {why}; allowed: {allowed}"

    def _line(self, draft: Draft, key: str) -> int:
        place: Path = ("shots", draft.index, key)
        from_defaults = key in ("model", "resolution", "seconds", "template", "takes")
        if place not in self._document.lines and from_defaults and ("defaults", key) in self._document.lines:
            return self._document.line(("defaults", key))
        return self._document.line(place)

    def _nearest(self, word: str, known: Iterable[str]) -> str | None:
        """What may have been meant; the search takes its time, so not among all names and not for all mistakes."""
        if len(self.problems) >= MOST_TOLD:
            return None
        return suggest(word, itertools.islice(known, _MOST_COMPARED))

    def _wrong(self, draft: Draft, key: str, text: str) -> None:
        self.problems.append(Problem(self._line(draft, key), text, draft.shot.id))


_INDEPENDENT = ("duration", "resolution")
"""Fields that can be taken out to see whether something else is wrong as well."""

_BOARD_KEYS = {
    "duration": "seconds",
    "first_frame_image": "from",
    "last_frame_image": "to",
    "subject_image": "subject",
}


def _commands(prompt: str) -> tuple[tuple[Move, ...], ...]:
    """The moves that stand in a prompt, which a template may have placed itself."""
    return tuple(command.moves for command in find_commands(prompt))


def _is_same(one: Source, other: Source | None) -> bool:
    """Whether two sources are the same picture."""
    if other is None or (one.still is None) != (other.still is None):
        return False
    if one.still is not None and other.still is not None:
        return one.still.reference == other.still.reference
    return (one.shot, one.place) == (other.shot, other.place)


def _too_late(key: str, wanted: str, shot: str, length: int) -> str:
    return f"{key} = {quoted(wanted)}: shot {shot} ends at {length} s; allowed: under {length}"


def _short(reference: str) -> str:
    text = shown(reference).partition("?")[0]
    return text if len(text) <= 60 else f"…{text[-58:]}"
