"""Joining clips into one film: by copying their packets when that is exact, by encoding otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import av

from minimax_tasks.errors import VideoError
from minimax_tasks.video.colour import picture_of
from minimax_tasks.video.cover import WIDTH as COVER_WIDTH
from minimax_tasks.video.cover import Cover, add_cover
from minimax_tasks.video.encode import MP4_OPTIONS, Cue, h264_mp4, write_cues
from minimax_tasks.video.film_frames import FilmFrames
from minimax_tasks.video.film_grades import grades_of
from minimax_tasks.video.grade import Grade
from minimax_tasks.video.mix import PlacedSound
from minimax_tasks.video.overlays import Overlay
from minimax_tasks.video.pieces import Film, Piece
from minimax_tasks.video.previews import jpeg
from minimax_tasks.video.reading_ahead import Packets, ReadingAhead
from minimax_tasks.video.shape import AS_CLIPS, Shape
from minimax_tasks.video.sound_layout import sound_stream
from minimax_tasks.video.sound_track import SoundTrack, mixed_track
from minimax_tasks.video.source import opened, picture_stream
from minimax_tasks.video.span_encoder import SpanEncoder
from minimax_tasks.video.spans import Spans, spans_of
from minimax_tasks.video.splice import SHORTEST, Splicer, can_copy
from minimax_tasks.video.stream_layout import StreamLayout
from minimax_tasks.video.transitions import TRANSITIONS
from minimax_tasks.video.turn import Turn

__all__ = ["TRANSITIONS", "Joined", "Piece", "VideoError", "join"]

_NAMED = 5
"""A note names this many clips; the others are only counted."""

FILM_OPTIONS = {"preset": "veryfast", "crf": "18"}
"""High enough quality that one more encoding is not visible."""


@dataclass(frozen=True)
class Joined:
    """The result of a join.

    `method` and `reason` are those of the pictures: "encode" where some have to be, and which and why; `copied` is how
    many of the frames are copied all the same. `sound` is what was done with the sound, and why it was
    encoded, if it was. `poster` is the film's cover as JPEG, if it was given one. `grades` has the colours of the
    pieces that are matched, by their numbers. `notes` says for people where the film
    differs from its clips: other frame rates, clips that were turned or that have fewer pictures than their index
    promises.
    """

    method: Literal["copy", "encode"]
    reason: str
    frames: int
    seconds: float
    fps: Fraction
    width: int
    height: int
    notes: tuple[str, ...] = ()
    sound: Literal["none", "copy", "encode"] = "none"
    sound_reason: str = ""
    copied: int = 0
    poster: bytes = b""
    grades: Mapping[int, Grade] = field(default_factory=dict)


def join(
    out: str,
    pieces: Sequence[Piece],
    fps: Fraction,
    *,
    sounds: Sequence[PlacedSound] = (),
    loudness: float | None = None,
    captions: Mapping[str, Sequence[Cue]] = MappingProxyType({}),
    chapters: bool = True,
    shape: Shape = AS_CLIPS,
    overlays: Sequence[Overlay] = (),
    title: str = "",
    poster: int | None = None,
) -> Joined:
    """Write the film of the pieces to the local path `out`: an MP4 (H.264, yuv420p, AAC where there is sound).

    Packets are copied, and so stay exactly as they are, where clips were encoded alike and are shown as they are; a
    doubled frame is left out by dropping the last packet of the clip before, which shows the same. What lies between
    (transitions, trimmed beginnings, clips of another kind) is encoded, in the size that the `shape` asks for, or else
    that of most pieces, and at `fps`; pieces of another shape fill it as the `shape` says, and pieces that ask to be
    turned are turned.

    Sound is copied as well where that of all clips is alike and nothing changes it; only what a cut touches is
    encoded again. Otherwise it is mixed in stereo at 48 kHz: faded over the transitions, silent where a clip has
    none, with the `sounds` that are placed in the film, and levelled to a `loudness` in LUFS if that is given.
    `captions` become a track of subtitles for each language. `overlays` are words in the picture: where they lie, it is
    encoded. The `title` and the frame with the number `poster`, over which no transition lies, are what players show of a
    film that does not play.

    Each piece gets exactly its frames. Raises `VideoError`, and then leaves no file behind: no pieces, a clip
    that cannot be read, an unknown transition.
    """
    if not pieces:
        raise VideoError("there is nothing to join")
    film = Film(
        out,
        tuple(pieces),
        fps,
        chapters,
        tuple(sounds),
        loudness,
        captions,
        shape,
        overlays=tuple(overlays),
        title=title,
    )
    film.check_transitions()
    film = replace(film, grades=grades_of(film))
    film = replace(film, poster=_poster(film, poster))
    spans = spans_of(film)
    is_copied = spans.copied == film.frames
    reason = "all clips are alike and all joins are cuts" if is_copied else _listed(spans.reasons, "; ")
    sound_reason = _why_not_copy_sound(film, "" if is_copied else reason)
    try:
        if spans.model is None:
            frames = _encode(film)
        else:
            frames = _splice(film, spans, spans.model, copies_sound=film.has_sound and not sound_reason)
    except BaseException:
        Path(out).unlink(missing_ok=True)
        raise
    sound: Literal["none", "copy", "encode"] = "encode" if sound_reason else "copy"
    if not film.has_sound:
        sound, sound_reason = "none", ""
    return Joined(
        "copy" if is_copied else "encode",
        reason,
        film.frames,
        float(film.seconds),
        fps,
        *(spans.model.size if spans.model else film.size),
        tuple(_notes(film, frames)),
        sound,
        sound_reason,
        spans.copied,
        film.poster,
        film.grades,
    )


def _poster(film: Film, number: int | None) -> bytes:
    if number is None:
        return b""
    frame = next(FilmFrames(film).between(number, number + 1), None)
    return jpeg(picture_of(frame.picture), COVER_WIDTH) if frame else b""


def _introduced(film: Film, container: av.container.OutputContainer) -> Cover | None:
    """Say in the file what it is. The cover has to be written when the rest is."""
    if film.title:
        container.metadata["title"] = film.title
    return add_cover(container, film.poster) if film.poster else None


def _why_not_copy_sound(film: Film, pictures: str) -> str:
    """Why the sound has to be encoded; empty when it can be copied, or when there is none."""
    if not film.has_sound:
        return ""
    if film.added:
        return "there is other sound with that of the clips"
    if film.loudness is not None:
        return f"it is levelled to {film.loudness:g} LUFS"
    if pictures:
        return pictures
    layouts = [clip.sound for clip in film.clips]
    first = layouts[0]
    if first is None:
        return f"{film.name(0)} has no sound, and others have some"
    for number, (piece, layout) in enumerate(zip(film.pieces, layouts, strict=True)):
        if layout is None:
            return f"{film.name(number)} has no sound, and others have some"
        if piece.volume != 1:
            return f"{film.name(number)} is heard at another volume"
        differing = [
            fact for fact, value in layout.stream_facts().items() if value != first.stream_facts()[fact]
        ]
        if differing:
            return f"{film.name(number)} differs from {film.name(0)} in {', '.join(differing)}"
        if not layout.even or piece.frames / film.fps < SHORTEST:
            return f"{film.name(number)} has sound that cannot be taken apart without decoding"
    return "" if can_copy(first) else f"its sound is {first.codec}, which not every browser plays"


def _notes(film: Film, frames: FilmFrames) -> Iterator[str]:
    """Where the film differs from its clips."""
    by_rate: dict[Fraction, list[str]] = {}
    for number, clip in enumerate(film.clips):
        if clip.fps != film.fps:
            by_rate.setdefault(clip.fps, []).append(film.name(number))
    for fps, names in sorted(by_rate.items()):
        what = "left out" if fps > film.fps else "shown twice"
        yield (
            f"the film has {_rate(film.fps)} frames a second: of {_listed(names)} ({_rate(fps)} fps) "
            f"some frames are {what}"
        )
    by_turn: dict[Turn, list[str]] = {}
    for number, clip in enumerate(film.clips):
        if clip.turn:
            by_turn.setdefault(clip.turn, []).append(film.name(number))
    for turn, names in by_turn.items():
        yield f"{_listed(names)}: {turn}, as the file asks"
    for number, grade in film.grades.items():
        yield (
            f"the colours of {film.name(number)} are matched to {film.name(number - 1)}: their seam goes from "
            f"{grade.before:.1f} to {grade.after:.1f} dB"
        )
    if frames.short:
        names = [film.name(number) for number in frames.short]
        yield f"{_listed(names)}: fewer pictures than the file promises; the last one is held"


def _listed(names: Sequence[str], between: str = ", ") -> str:
    if len(names) > _NAMED:
        return f"{between.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    if between != ", ":
        return between.join(names)
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _rate(fps: Fraction) -> str:
    return f"{float(fps):.5g}"


def _splice(film: Film, spans: Spans, model: StreamLayout, *, copies_sound: bool) -> FilmFrames:
    """Write a film of which packets are copied; what lies between them is encoded."""
    frames = FilmFrames(film)
    encoder = SpanEncoder(model, FILM_OPTIONS) if spans.copied < film.frames else None
    with av.open(film.out, "w", format="mp4", options=MP4_OPTIONS) as container:
        with opened(model.path, packets_only=True) as source:
            stream = container.add_stream_from_template(picture_stream(source))
            heard = sound_stream(source)
            copied = container.add_stream_from_template(heard) if heard and copies_sound else None
        stream.time_base = model.time_base
        if encoder is not None:
            stream.codec_context.extradata = encoder.parameters
        # Where sound is copied, so are the pictures of every clip.
        paths = [film.pieces[span.copied.number].clip.path for span in spans.spans if span.copied]
        with closing(ReadingAhead(paths, partial(_spliced, film) if copied else None)) as reading:
            track: SoundTrack | None = None
            if copied is not None:
                track = SoundTrack(container, copied, reading.sound())
            elif film.has_sound:
                track = mixed_track(container, film.sounds(), film.seconds, film.loudness)
            cover = _introduced(film, container)
            write_cues(container, film.captions)
            second = float(model.time_base)
            for packet in _pictures(spans, model, frames, encoder, reading.pictures()):
                packet.stream = stream
                if track:
                    track.advance((packet.dts or 0) * second)
                container.mux(packet)
            if track:
                track.finish()
        if cover:
            cover.write()
        film.write_chapters(container)
    return frames


def _pictures(
    spans: Spans,
    model: StreamLayout,
    frames: FilmFrames,
    encoder: SpanEncoder | None,
    read: Iterator[Packets],
) -> "Iterator[av.Packet[Any]]":
    """The packets of all pictures of a film, in order; times are ticks of the model."""
    for span in spans.spans:
        if span.copied is None:
            assert encoder is not None
            yield from encoder.packets(frames.between(span.begins, span.ends), span.begins)
            continue
        clip = frames.film.pieces[span.copied.number].clip
        begin = span.copied.at * model.tick - clip.first
        for packet in next(read)[span.copied.first : span.copied.last]:
            packet.pts = (packet.pts or 0) + begin
            packet.dts = (packet.dts or 0) + begin
            yield packet


def _spliced(film: Film, clips: Iterator[Packets]) -> "Iterator[Iterator[av.Packet[Any]]]":
    """The sound of a film whose clips have sound that is alike: what is certain after each of them, and the rest."""
    splicer: Splicer | None = None
    for number, packets in enumerate(clips):
        layout, sound = film.clips[number].sound, film.sound(number)
        if layout is None or sound is None:
            raise VideoError(f"{film.name(number)}: it has no sound")
        splicer = splicer or Splicer(layout.rate, film.seconds)
        yield splicer.add(sound, layout, packets)
    if splicer is not None:
        yield splicer.finish()


def _encode(film: Film) -> FilmFrames:
    """Write a film of which every picture is encoded."""
    frames = FilmFrames(film)
    with h264_mp4(film.out, film.size, film.fps, FILM_OPTIONS) as writer:
        track = (
            mixed_track(writer.container, film.sounds(), film.seconds, film.loudness)
            if film.has_sound
            else None
        )
        cover = _introduced(film, writer.container)
        write_cues(writer.container, film.captions)
        for frame in frames.between(0, film.frames):
            writer.write(frame.picture, keyframe=frame.begins)
            if track:
                track.advance(writer.seconds)
        if track:
            track.finish()
        if cover:
            cover.write()
        film.write_chapters(writer.container)
    return frames
