"""The storyboard file: its keys, and every mistake in it with file, line and shot."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from minimax_tasks.api.catalog.synonyms import not_there
from minimax_tasks.api.suggest import did_you_mean, suggest
from minimax_tasks.problems import MOST_TOLD, Problem
from minimax_tasks.redaction import quoted, shortened
from minimax_tasks.storyboard.board_own import (
    EXPECTED_CLIP,
    EXPECTED_TEMPLATE,
    OWN_KEYS,
    ClipKey,
    OwnVideo,
    TemplateKey,
    VideoTemplate,
)
from minimax_tasks.storyboard.board_part import BoardPart, listed
from minimax_tasks.storyboard.board_picture import (
    EXPECTED_PICTURE,
    CropKey,
    Frame,
    FrameKey,
    Picture,
    PictureKey,
)
from minimax_tasks.storyboard.board_sound import Audio, AudioKey, Bed, Voice, VoiceKey
from minimax_tasks.storyboard.board_titles import EXPECTED_OF_TITLES, Title, TitleKey
from minimax_tasks.storyboard.board_words import EXPECTED_CAPTIONS, Captions, CaptionsKey, DialogueKey, Line
from minimax_tasks.storyboard.trims import read_trim
from minimax_tasks.storyboard.yaml_document import Document, KeyPath, read_document
from minimax_tasks.video.shape import AS_CLIPS, Shape


def _described(value: Any) -> Any:
    return {"desc": value} if isinstance(value, str) else value


def _a_trim(value: str) -> str:
    read_trim(value)
    return value


Sound = Literal["keep", "drop"] | Annotated[StrictInt | StrictFloat, Field(ge=0, le=10)]
"""Whether the sound of a clip is heard in the film, or how loud: 1 as it is."""


class CastMember(BoardPart):
    """A person or thing that appears in several shots."""

    desc: StrictStr = Field(min_length=1)
    pictures: Annotated[list[StrictStr], BeforeValidator(listed)] = []


def _off(value: Any) -> Any:
    return "off" if value is False else value  # as YAML reads it


GradeKey = Annotated[Literal["off", "match", "chain"], BeforeValidator(_off)]


class Defaults(BoardPart):
    """What every shot has unless it sets its own."""

    PLANNED_FIELDS = frozenset(
        {"model", "resolution", "seconds", "ratio", "prompt_optimizer", "template", "takes", "fit"}
    )

    model: StrictStr | None = None
    resolution: StrictStr | None = None
    seconds: StrictInt | None = None
    ratio: StrictStr | None = None
    prompt_optimizer: StrictBool | None = None
    template: StrictStr | None = None
    takes: StrictInt = Field(1, ge=1, le=20)
    fit: StrictBool = False
    sound: Sound | None = None


class Shot(BoardPart):
    """One shot as written in the board."""

    PLANNED_FIELDS = frozenset(
        {"template", "prompt", "from_", "to", "continue_", "cut", "camera", "model", "resolution", "seconds"}
        | {"prompt_optimizer", "takes", "pick", "characters", "subject", "references", "ratio"}
        | {"action", "place", "vars", "clip", "still", "video_template"}
    )

    id: StrictStr = Field(min_length=1, pattern=r"^[\w][\w .-]*$")
    clip: ClipKey | None = None
    still: StrictStr | None = Field(None, min_length=1)
    video_template: TemplateKey | None = None
    template: StrictStr | None = None
    prompt: StrictStr | None = None
    from_: StrictStr | None = Field(None, alias="from", min_length=1)
    to: StrictStr | None = Field(None, min_length=1)
    continue_: StrictStr | None = Field(None, alias="continue")
    cut: StrictBool | StrictStr | None = None
    camera: StrictStr | list[StrictStr] | None = None
    model: StrictStr | None = None
    resolution: StrictStr | None = None
    seconds: StrictInt | None = None
    ratio: StrictStr | None = None
    prompt_optimizer: StrictBool | None = None
    takes: StrictInt | None = Field(None, ge=1, le=20)
    pick: StrictInt = Field(1, ge=1)
    characters: Annotated[list[StrictStr], BeforeValidator(listed)] = []
    subject: StrictStr | None = Field(None, min_length=1)
    references: Annotated[list[StrictStr], BeforeValidator(listed)] = []
    action: StrictStr | None = None
    place: StrictStr | None = None
    dialogue: DialogueKey | None = None
    title: TitleKey = []
    notes: StrictStr | None = None
    trim: Annotated[StrictStr, AfterValidator(_a_trim)] | None = None
    speed: Annotated[StrictInt | StrictFloat, Field(ge=0.1, le=10)] | None = None
    hold: Annotated[StrictInt | StrictFloat, Field(ge=0, le=60)] | None = None
    skip: StrictBool = False
    crop: CropKey | None = None
    grade: GradeKey | None = None
    ease: Annotated[StrictInt, Field(ge=0, le=24)] = 0
    sound: Sound | None = None
    voice: VoiceKey = []
    vars: dict[StrictStr, StrictStr | StrictInt | StrictFloat | StrictBool | list[Any] | dict[str, Any]] = {}

    @property
    def own_keys(self) -> list[str]:
        """Which of `OWN_KEYS` make it a shot that is not generated; more than one is a mistake."""
        has = {"title": any(title.is_card for title in self.title)}
        return [key for key in OWN_KEYS if has.get(key, getattr(self, key) is not None)]


class Board(BoardPart):
    """A storyboard as written in its file."""

    PLANNED_FIELDS = frozenset({"language", "ratio", "defaults", "cast", "frames", "shots"})

    title: StrictStr = Field(min_length=1)
    look: StrictStr = ""
    language: Literal["en", "zh"] | None = None
    """Language of the camera brackets; by default that of the service's region."""
    ratio: StrictStr | None = None
    """The shape of clips whose model takes one, unless `defaults` or the shot has another."""
    defaults: Defaults = Defaults()
    cast: dict[StrictStr, Annotated[CastMember, BeforeValidator(_described)]] = {}
    frames: dict[StrictStr, FrameKey] = {}
    picture: PictureKey | None = None
    audio: AudioKey | None = None
    captions: CaptionsKey | None = None
    grade: GradeKey = "off"
    shots: Annotated[list[Shot], Field(min_length=1)]

    @property
    def shape(self) -> Shape:
        """The shape that the film is asked to have."""
        return self.picture.shape if self.picture else AS_CLIPS

    @property
    def files(self) -> dict[str, str]:
        """Name of a frame -> its path or URL."""
        return {name: frame.file for name, frame in self.frames.items()}


MOST_SHOTS = 5_000
"""More than eight hours of film."""


def read_board(text: str) -> tuple[Board | None, Document, list[Problem]]:
    """Read a storyboard.

    With problems, the board is what remains without the mistaken parts, so that the rest can be judged as
    well; it is None when nothing remains to be judged.
    """
    document = read_document(text)
    problems = [Problem(line, what) for line, what in document.problems]
    if not isinstance(document.value, dict):
        if not problems:
            problems = [
                Problem(1, "a storyboard is a mapping with `title` and `shots`; this file holds none")
            ]
        return None, document, problems
    shots = document.value.get("shots")
    if isinstance(shots, list) and len(shots) > MOST_SHOTS:
        line = document.line(("shots", MOST_SHOTS))
        text = f"shots: {len(shots):,}; allowed: at most {MOST_SHOTS:,} in one board"
        return None, document, [*problems, Problem(line, text)]
    reported: set[KeyPath] = set(document.bare)
    problems += _keys_behind_commas(document)
    board = _validate(copy.deepcopy(document.value), document, problems, reported)
    problems += _retyped(document, reported)
    if board is not None:
        problems += _repeated_ids(board, document)
    return board, document, problems


_REPAIRS = 4
"""Removing one mistake can reveal another; this is how often that is tried."""


def _validate(
    value: dict[str, Any], document: Document, problems: list[Problem], reported: set[KeyPath]
) -> Board | None:
    """The places of the mistakes are added to `reported`."""
    for _ in range(_REPAIRS):
        try:
            return Board.model_validate(value)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                path, problem = _explain(item, document, value, brief=len(problems) > MOST_TOLD)
                if path not in reported:
                    reported.add(path)
                    problems.append(problem)
                _take_out(value, path, document, missing=item["type"] == "missing")
    return None


def _take_out(board: Any, path: KeyPath, document: Document, *, missing: bool) -> None:
    """Remove a mistaken value; where text was wanted, put in the text as written."""
    value = board
    for part in path[:-1]:
        value = value[part]
    last = path[-1] if path else None
    if isinstance(value, dict):
        was_text = path in document.texts and str(last) not in _EXPECTED
        if was_text and not missing and last in value and not isinstance(value[last], str):
            value[last] = document.texts[path]
        elif missing or last in ("title", "id"):
            of_shot = path[0] == "shots" and len(path) > 1
            value[last] = f"number {int(path[1]) + 1}" if of_shot else f"({last})"
        else:
            value.pop(last, None)
    elif isinstance(value, list) and isinstance(last, int) and last < len(value):
        value[last] = {} if path[:1] == ("shots",) and len(path) == 2 else ""


def _retyped(document: Document, reported: set[KeyPath]) -> Iterator[Problem]:
    """Values that YAML reads as something other than what is written: 16:9 as 969, 042 as 34, NO as false."""
    for path, written in document.texts.items():
        value: Any = document.value
        for part in path:
            value = value[part]
        if path in reported or _is_as_written(value, written, of_vars="vars" in path[:3]):
            continue
        key = str(path[-1])
        named = key if isinstance(path[-1], str) else f"{path[-2]}, number {int(path[-1]) + 1}"
        expected = _expected(path)
        yield Problem(
            document.line(path),
            f"{key} = {quoted(written)}; allowed: {expected}"
            if expected
            else f'{quoted(named)[1:-1]}: {_as_read(written, value)}; write it in quotes: "{shortened(written)}"',
            _shot_name(path, document),
        )


def _is_as_written(value: object, written: str, *, of_vars: bool) -> bool:
    match value:
        case bool():
            return not of_vars or written in ("true", "false")
        case None:
            return not of_vars
    return str(value) == written


def _as_read(written: str, value: object) -> str:
    if value is None:
        return f"{written or 'an empty value'} is read as nothing by YAML"
    return f"{shortened(written)} is read as {quoted(value)} by YAML"


def _repeated_ids(board: Board, document: Document) -> list[Problem]:
    seen: dict[str, int] = {}
    problems = []
    for index, shot in enumerate(board.shots):
        line = document.line(("shots", index, "id"))
        if shot.id in seen:
            problems.append(Problem(line, f"this id is taken by the shot in line {seen[shot.id]}", shot.id))
        seen.setdefault(shot.id, line)
    return problems


def _explain(
    item: Any, document: Document, checked: dict[str, Any], *, brief: bool
) -> tuple[KeyPath, Problem]:
    """The place of a mistake and its message; `brief` when there are too many to report each in full."""
    path = _real_path(item["loc"], checked)
    shot = _shot_name(path, document)
    key = "this shot" if path[:1] == ("shots",) and len(path) == 2 else str(path[-1]) if path else ""
    line = document.line(path)
    if brief:
        return path, Problem(line, item["type"], shot)
    kind, value = item["type"], item["input"]
    if kind == "extra_forbidden":
        return path, Problem(line, _unknown_key(path, key), shot)
    if kind == "missing":
        return path, Problem(document.line(path[:-1]), f"{_owner(path)} needs {key!r}", shot)
    is_other_than_text = path in document.texts and isinstance(value, int | float | bool)
    if is_other_than_text and _wants_text(kind) and key not in _EXPECTED:
        written = document.texts[path]
        text = f'{key}: {_as_read(written, value)}; write it in quotes: {key}: "{shortened(written)}"'
        return path, Problem(line, text, shot)
    if value is None:
        written = document.texts.get(path, "")
        why = f"{written} means nothing here" if written else "there is nothing after the colon"
        return path, Problem(line, f"{key}: {why}", shot)
    if key == "id":
        return path, Problem(line, f"id: {quoted(value)} cannot be an id; allowed: {_ID}", shot)
    expected = _expected(path) or _kinds(kind, item)
    return path, Problem(line, f"{key} = {quoted(value)}; allowed: {expected}", shot)


def _expected(path: KeyPath) -> str | None:
    """What is allowed at a place of a board, in words; None where the kind of its value says it."""
    if path[:1] == ("shots",) and path[2:3] == ("title",):
        return EXPECTED_OF_TITLES.get(str(path[-1]))
    return _EXPECTED.get(str(path[-1])) if path else None


_ID = "letters, digits and _, and behind the first of them also spaces, points and -"
"""The pattern of an id in words."""


def _unknown_key(path: KeyPath, key: str) -> str:
    known = _known_keys(path)
    message = f"unknown key {quoted(key)}"
    if guess := did_you_mean(suggest(key, known)):
        return f"{message}{guess} Known keys: {', '.join(known)}"
    where = _where_it_belongs(path, key)
    if where:
        return f"{message}: {where}. Known keys: {', '.join(known)}"
    instead = not_there(key)
    return f"{message}{f': {instead}' if instead else ''}. Known keys: {', '.join(known)}"


def _where_it_belongs(path: KeyPath, key: str) -> str:
    """Where in a board a key belongs that is not allowed here."""
    places = ((Board, "the board, next to `shots`"), (Shot, "a shot"), (Defaults, "`defaults`"))
    here = set(_known_keys(path))
    for part, place in places:
        names = {field.alias or name for name, field in part.model_fields.items()}
        if key in names and names != here:
            return f"it belongs to {place}"
    return ""


def _run_of(path: KeyPath, document: Document) -> tuple[str | None, list[str]]:
    """The key before a run of keys without values, and those keys, in the mapping that a path ends in."""
    value = document.value
    for part in path[:-1]:
        value = value[part]
    before: str | None = None
    run: list[str] = []
    for key in value if isinstance(value, dict) else ():
        if (*path[:-1], key) in document.bare:
            run.append(key)
        elif path[-1] in run:
            break
        else:
            before, run = key, []
    return before, run


def _keys_behind_commas(document: Document) -> Iterator[Problem]:
    """Keys without a value in braces; each run of them is one mistake."""
    for path in sorted(document.bare, key=document.line):
        if _run_of(path, document)[1][:1] == [path[-1]]:
            yield Problem(document.line(path), _behind_a_comma(path, document), _shot_name(path, document))


def _behind_a_comma(path: KeyPath, document: Document) -> str:
    """The message for a key without a value: inside braces a comma ends a text, which people do not expect."""
    before, run = _run_of(path, document)
    named = ", ".join(quoted(key) for key in run)
    message = f"{named} {'has' if len(run) == 1 else 'have'} no value: inside {{…}} a comma ends the value before it"
    place = (*path[:-1], before) if before is not None else ()
    value = document.value
    for part in place:
        value = value[part]
    if (
        before is None
        or not isinstance(value, str | int | float)
        or (len(run) == 1 and run[0] in _known_keys(path))
    ):
        return f"{message}; write {shortened(str(path[-1]))}: and its value"
    text = ", ".join([document.texts.get(place, str(value)), *run])
    return f"{message}; write {before}: {json.dumps(shortened(text, 200), ensure_ascii=False)}"


def _owner(path: KeyPath) -> str:
    match path:
        case ("shots", _, _):
            return "a shot"
        case ("cast", name, _):
            return f"{name} in cast"
        case _:
            return "the board"


def _real_path(location: tuple[str | int, ...], value: Any) -> KeyPath:
    """Pydantic names the branches of a union in a location; keep only what is in the file."""
    path: list[str | int] = []
    for part in location:
        if isinstance(value, dict) and isinstance(part, str):
            if part in value or (
                (not path or path[-1] != part) and not re.search(r"[\[(]|^(str|bool|int|float)$", part)
            ):
                path.append(part)
                value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            path.append(part)
            value = value[part] if part < len(value) else None
    return tuple(path)


def _shot_name(path: KeyPath, document: Document) -> str:
    if path[:1] != ("shots",) or len(path) < 2:
        return ""
    place = ("shots", path[1], "id")
    shot = document.value["shots"][path[1]] if isinstance(path[1], int) else None
    if not isinstance(shot, dict) or "id" not in shot:
        return f"number {int(path[1]) + 1}" if isinstance(path[1], int) else ""
    return document.texts.get(place, str(shot["id"]))


def _known_keys(path: KeyPath) -> list[str]:
    model: type[BoardPart] = Board
    if path[:1] == ("shots",):
        parts: dict[object, type[BoardPart]] = {
            "voice": Voice,
            "dialogue": Line,
            "clip": OwnVideo,
            "video_template": VideoTemplate,
            "title": Title,
        }
        model = parts.get(path[2], Shot) if len(path) > 3 else Shot
    elif path[:1] == ("audio",) and len(path) > 1:
        model = Bed if any(isinstance(part, int) for part in path) else Audio
    elif path[:1] == ("frames",) and len(path) > 2:
        model = Frame
    elif path[:1] == ("picture",) and len(path) > 1:
        model = Picture
    elif path[:1] == ("captions",) and len(path) > 1:
        model = Captions
    elif path[:1] == ("cast",):
        model = CastMember
    elif path[:1] == ("defaults",) and len(path) > 1:
        model = Defaults
    return [field.alias or name for name, field in model.model_fields.items()]


def _wants_text(kind: str) -> bool:
    return kind in ("string_type", "literal_error", "bool_type")


def _kinds(kind: str, item: Any) -> str:
    return {
        "string_type": "text",
        "int_type": "a whole number",
        "bool_type": "true or false",
        "list_type": "a list",
        "dict_type": "a mapping (`name: value` lines)",
        "model_type": "a mapping (`name: value` lines)",
        "too_short": "at least one",
        "string_too_short": "some text",
        "greater_than_equal": f"{item.get('ctx', {}).get('ge')} or more",
        "less_than_equal": f"at most {item.get('ctx', {}).get('le')}",
    }.get(kind, str(item["msg"]))


_EXPECTED = {
    **EXPECTED_PICTURE,
    **EXPECTED_CAPTIONS,
    "cut": "true, or a transition with its seconds such as fade 0.5",
    "camera": "moves such as push in, pan left (at once), or a list [static, push in] (one after the other)",
    "language": "en or zh",
    "shots": "a list with at least one shot",
    "cast": "names with a description: {mara: {desc: …}}",
    "frames": "names with a path or URL: {pier: refs/pier.png}, or {mara: {file: refs/mara.png, crop: top}}",
    "vars": "names with values",
    "seconds": "a whole number such as 6 or 10",
    "resolution": "a size such as 768P or 1080P",
    "takes": "a whole number from 1 to 20",
    "pick": "the number of a take, from 1",
    "ratio": 'a shape in quotes, such as "16:9" or "9:16"',
    "references": "names of frames, and paths or URLs of pictures, videos and sounds",
    "pictures": "names of frames, and paths or URLs of pictures",
    "trim": "from..to in seconds of the clip, such as 1.2..3.7, 1.2.. or ..-0.5",
    "speed": "a number from 0.1 to 10, such as 0.5 for half as fast",
    "hold": "seconds that the last frame stays, from 0 to 60",
    "skip": "true or false",
    "grade": "off, match or chain",
    "ease": "a whole number of frames from 0 to 24",
    "audio": "a file, a list of files with their places, or {beds: […], loudness: -16}",
    "beds": 'a list of files with their places, such as {file: music.mp3, from: "020", gain: -6}',
    "voice": "a file, or a list of files with their places, such as {file: line.wav, at: 0.5}",
    "loudness": "LUFS from -40 to -5, such as -16, or off",
    "gain": "decibels from -60 to 20, such as -6",
    "duck": "decibels from 0 to 60, such as 12",
    "dialogue": 'a line, a list of lines with their times, or either by language: {en: "Go.", zh: "走。"}',
    "clip": EXPECTED_CLIP,
    "video_template": EXPECTED_TEMPLATE,
    "key": "the key of a clip: 32 digits and letters from a to f",
    "sound": "keep, drop, or a volume from 0 to 10 (1 is as it is)",
}
