"""The prompt of each shot: written from its template, look and camera, and checked."""

import re
from collections.abc import Mapping

from minimax_tasks.api.suggest import did_you_mean
from minimax_tasks.clips.spellings import is_begun
from minimax_tasks.errors import CameraError, PromptError
from minimax_tasks.prompts.bracket_commands import check_prompt, normalise_brackets, spellings_before
from minimax_tasks.prompts.camera import NO_MOVE, camera_warnings, parse_camera
from minimax_tasks.prompts.render import render_prompt
from minimax_tasks.redaction import quoted, shortened
from minimax_tasks.storage.files import Storage
from minimax_tasks.storyboard.board import Shot
from minimax_tasks.storyboard.board_words import spoken_text
from minimax_tasks.storyboard.planning.draft import Drafts, ShotDraft
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.storyboard.planning.sources import Material

_JINJA = re.compile(r"\{\{[^{}\n]{0,60}\}\}|\{%[^{}\n]{0,60}%\}")


def write_prompts(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Write the prompt of every shot. Its frames are decided: they say which model is asked."""
    for draft in drafts.prompted:
        _write(draft, material, problems)


def _write(draft: ShotDraft, material: Material, problems: BoardProblems) -> None:
    shot, board = draft.shot, material.board
    if shot.template and shot.prompt is not None:
        problems.wrong(draft, "prompt", "a shot has `template` or `prompt`, not both; remove one of them")
        return
    model = draft.model
    characters = [_description(draft, name, material, problems) for name in shot.characters]
    if draft.references:
        characters = [
            _as_in_pictures(text, name, draft) for name, text in zip(shot.characters, characters, strict=True)
        ]
    try:
        if shot.camera is not None:
            draft.camera = parse_camera(shot.camera)
            if not draft.camera:
                raise CameraError(NO_MOVE)
    except CameraError as error:
        problems.wrong(draft, "camera", f"camera: {error}")
        draft.prompt_is_wrong = True
    try:
        written = render_prompt(
            text=shot.prompt,
            template=None if shot.prompt is not None else shot.template or board.defaults.template,
            values=_values(shot),
            camera=draft.camera,
            look=board.look,
            characters=characters,
            model=model,
            language=material.language,
            folder=material.templates,
            as_written=True,
        )
    except (PromptError, CameraError) as error:
        draft.prompt_is_wrong = True
        problems.wrong(draft, "prompt" if shot.prompt is not None else "template", str(error))
        return
    draft.prompt = normalise_brackets(written, model)
    draft.written = spellings_before(written)
    wrong, doubts = check_prompt(written, model=model, camera=draft.camera)
    draft.wrong_commands = wrong
    draft.warnings += doubts
    draft.warnings += camera_warnings(draft.camera, float(draft.length), model)
    draft.warnings += _unrendered(shot, board.look, characters)


def judge_commands(drafts: Drafts, material: Material, problems: BoardProblems) -> None:
    """Note what is wrong with the camera commands of every shot."""
    for draft in drafts:
        judge_commands_of(draft, material.root, problems)


def judge_commands_of(draft: ShotDraft, root: Storage, problems: BoardProblems) -> None:
    """Note camera commands that are none, unless the shot was paid for with them, when they were let pass."""
    if not draft.wrong_commands:
        return
    if draft.segments and all(is_begun(root, segment.key) for segment in draft.segments):
        draft.warnings += draft.wrong_commands
        return
    for text in draft.wrong_commands:
        problems.wrong(draft, "prompt" if draft.shot.prompt is not None else "action", text)


def _as_in_pictures(description: str, character: str, draft: ShotDraft) -> str:
    """A description with the pictures that show the character, by their numbers in the request (source: h3r)."""
    numbers = [
        f"<Picture {number}>"
        for number, source in enumerate(draft.references, 1)
        if source.label.startswith(f"{character}: ")
    ]
    return f"{description} as in {' and '.join(numbers)}" if numbers and description else description


def _description(draft: ShotDraft, name: str, material: Material, problems: BoardProblems) -> str:
    """How somebody in `cast` is described."""
    cast = material.board.cast
    if name in cast:
        return cast[name].desc
    guess = did_you_mean(problems.suggest(name, cast))
    known = shortened(", ".join(cast), 1000) or "nobody"
    problems.wrong(
        draft, "characters", f"characters: nobody is called {quoted(name)}{guess}; in `cast`: {known}"
    )
    return name


def _values(shot: Shot) -> Mapping[str, object]:
    """What a template can name, besides the look and the characters."""
    own = {name: getattr(shot, name) for name in ("action", "place", "notes")}
    own["dialogue"] = spoken_text(shot.dialogue)
    return {name: value for name, value in own.items() if value is not None} | shot.vars


def _unrendered(shot: Shot, look: str, characters: list[str]) -> list[str]:
    """Warnings about Jinja in values: there it is text like any other."""
    values = [*_values(shot).items(), ("look", look)]
    values += [("desc", description) for description in characters]
    return [
        f"{name} has {found.group()} in it, which is sent as it stands; only `prompt` and templates are rendered"
        for name, value in values
        if name not in ("notes", "dialogue") and isinstance(value, str) and (found := _JINJA.search(value))
    ]
