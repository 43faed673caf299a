"""The sound files of a board: read and judged when it is planned, before anything is paid."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from minimax_tasks.api.suggest import did_you_mean
from minimax_tasks.clips.judging import try_each
from minimax_tasks.errors import MiniMaxError, UnreadableReference, VideoError
from minimax_tasks.redaction import quoted, shortened, shown
from minimax_tasks.storage.references import folder_of, is_web, local_path, next_to, read_file, version_of
from minimax_tasks.storyboard.board import Board
from minimax_tasks.storyboard.plan import SoundFile
from minimax_tasks.storyboard.planning.draft import Drafts
from minimax_tasks.storyboard.planning.problems import BoardProblems
from minimax_tasks.storyboard.planning.sources import Material
from minimax_tasks.storyboard.yaml_document import KeyPath

FILE_LIMIT = 200_000_000
"""Bytes: twenty minutes of uncompressed stereo."""


_heard_before: dict[tuple[str, str], SoundFile] = {}
"""Reference and version of a file -> the sound in it."""


def gather_sounds(drafts: Drafts, material: Material, problems: BoardProblems) -> dict[str, SoundFile]:
    """File as the board names it -> the sound in it. Notes each that cannot be used, where it is named."""
    folder = folder_of(material.path)
    named = list(_named(material.board))
    found = try_each(
        lambda name: _judged(next_to(folder, name)),
        dict.fromkeys(name for _, name, _ in named),
    )
    for place, name, shot in named:
        error = found[name]
        if isinstance(error, Exception):
            problems.wrong_at(place, f"{place[-1]}: sound {shortened(shown(name))}: {error}", shot)
    _judge_places(drafts, material.board, problems)
    return {name: sound for name, sound in found.items() if isinstance(sound, SoundFile)}


def _named(board: Board) -> Iterator[tuple[KeyPath, str, str]]:
    """Where a sound file is named, its name, and the shot."""
    for number, bed in enumerate(board.audio.beds if board.audio else ()):
        yield ("audio", "beds", number, "file"), bed.file, ""
    for number, shot in enumerate(board.shots):
        for voice in shot.voice:
            yield ("shots", number, "voice"), voice.file, shot.id


def _judged(reference: str) -> SoundFile | MiniMaxError:
    from minimax_tasks.video.recording import read_recording

    try:
        if is_web(reference):
            raise UnreadableReference("it is on the web, from where nothing is fetched; give a file")
        version = version_of(reference)  # asked before it is read: what changes meanwhile has another
        if version and (reference, version) in _heard_before:
            return _heard_before[reference, version]
        data = read_file(reference, FILE_LIMIT, "the sound file")
        found = read_recording(data)
    except (UnreadableReference, VideoError) as error:
        return error
    if not found.sound_codec or not found.seconds:
        return VideoError("there is no sound in it")
    sound = SoundFile(reference, hashlib.sha256(data).hexdigest(), found.seconds, version)
    if version:
        _heard_before[reference, version] = sound
    return sound


def _judge_places(drafts: Drafts, board: Board, problems: BoardProblems) -> None:
    """Note beds that begin or end at a shot that the film does not show, or end before they begin."""
    shown_shots = [draft.shot.id for draft in drafts if not draft.shot.skip]
    for number, bed in enumerate(board.audio.beds if board.audio else ()):
        places = []
        for key, place in (("from", bed.from_), ("to", bed.to)):
            if isinstance(place, str) and place not in shown_shots:
                guess = did_you_mean(problems.suggest(place, shown_shots)) or ": there is no such shot;"
                text = f"{key} = {quoted(place)}{guess} allowed: the id of a shot of the film, or seconds"
                problems.wrong_at(("audio", "beds", number, key), text)
            elif isinstance(place, str):
                places.append(shown_shots.index(place))
        seconds = [place for place in (bed.from_, bed.to) if place is not None and not isinstance(place, str)]
        if (len(places) == 2 and places[0] > places[1]) or (len(seconds) == 2 and seconds[0] >= seconds[1]):
            text = f"to = {quoted(bed.to)}: that is before its `from`, {quoted(bed.from_)}"
            problems.wrong_at(("audio", "beds", number, "to"), text)


def local_sound(sound: SoundFile, copy: Path) -> str:
    """The path of a sound file: where it lies on this machine if it was not touched since it was planned, else `copy`.

    Raises `VideoError` when it is gone, or is not what was planned.
    """
    here = local_path(sound.reference)
    if here is not None and sound.version is not None and version_of(sound.reference) == sound.version:
        return here
    try:
        data = read_file(sound.reference, FILE_LIMIT, "the sound file")
    except UnreadableReference as error:
        raise VideoError(f"the sound {shown(sound.reference)}: {error}") from None
    if hashlib.sha256(data).hexdigest() != sound.digest:
        raise VideoError(f"the sound {shown(sound.reference)} has changed; run it again")
    copy.write_bytes(data)
    return str(copy)
