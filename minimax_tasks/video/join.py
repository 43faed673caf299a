"""Joining clips into one film: by copying their packets when that is exact, by encoding otherwise."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice, tee
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import av
from av.video.stream import VideoStream

from minimax_tasks.errors import VideoError
from minimax_tasks.video.conform import conformed
from minimax_tasks.video.encode import MP4_OPTIONS, Cue, h264_mp4, write_chapters, write_cues
from minimax_tasks.video.mix import SEAM, PlacedSound
from minimax_tasks.video.rates import nearest
from minimax_tasks.video.sound_layout import sound_stream
from minimax_tasks.video.sound_track import SoundTrack, mixed_track
from minimax_tasks.video.source import opened, picture_stream
from minimax_tasks.video.splice import SHORTEST, Packets, Splicer, can_copy
from minimax_tasks.video.stream_layout import StreamLayout
from minimax_tasks.video.transitions import CUT, TRANSITIONS, cross
from minimax_tasks.video.turn import Turn

__all__ = ["TRANSITIONS", "Joined", "Piece", "VideoError", "join"]

_READERS = 4
"""Number of clips whose packets are read ahead of the one being written."""

_NAMED = 5
"""A note names this many clips; the others are only counted."""

FILM_OPTIONS = {"preset": "veryfast", "crf": "18"}
"""High enough quality that one more encoding is not visible."""


@dataclass(frozen=True)
class Piece:
    """One clip in its place in a film; `starts_at`, `frames` and `overlap` are frames of the film.

    `frames` is how long it is on screen. For `overlap` it is mixed with the piece before it, by the `transition`:
    "cut" for none, or one of `TRANSITIONS`. With `drops_first` its first frame is left out, since it shows the last
    frame of the piece before once more. The first piece follows nothing.

    It begins at `source_in` seconds of the clip, and is shown `speed` times as fast as that. The last `hold` of its
    frames repeat the one before them, in silence. Its sound is heard at `volume`: 1 as it is, 0 not at all.
    """

    clip: StreamLayout
    starts_at: int
    frames: int
    title: str = ""
    transition: str = CUT
    overlap: int = 0
    drops_first: bool = False
    volume: float = 1.0
    source_in: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    hold: int = 0

    @property
    def moving(self) -> int:
        """How many of its frames come from the clip."""
        return self.frames - self.hold


@dataclass(frozen=True)
class Joined:
    """The result of a join.

    `method` and `reason` are those of the pictures, `sound` is what was done with the sound, and why it was
    encoded, if it was. `notes` says for people where the film differs from its clips: other frame rates, clips
    that were turned or that have fewer pictures than their index promises.
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


def join(
    out: str,
    pieces: Sequence[Piece],
    fps: Fraction,
    *,
    sounds: Sequence[PlacedSound] = (),
    loudness: float | None = None,
    captions: Mapping[str, Sequence[Cue]] = MappingProxyType({}),
    chapters: bool = True,
) -> Joined:
    """Write the film of the pieces to the local path `out`: an MP4 (H.264, yuv420p, AAC where there is sound).

    Packets are copied, and so stay exactly as they are, when all clips were encoded alike, every join is a
    cut and every doubled frame can be left out by dropping the last packet of the clip before, which shows the
    same. Otherwise the film is encoded, in the size that most pieces have and at `fps`; pieces of another shape
    get black bars, and pieces that ask to be turned are turned.

    Sound is copied as well where that of all clips is alike and nothing changes it; only what a cut touches is
    encoded again. Otherwise it is mixed in stereo at 48 kHz: faded over the transitions, silent where a clip has
    none, with the `sounds` that are placed in the film, and levelled to a `loudness` in LUFS if that is given.
    `captions` become a track of subtitles for each language.

    Each piece gets exactly its frames. Raises `VideoError`, and then leaves no file behind: no pieces, a clip
    that cannot be read, an unknown transition.
    """
    if not pieces:
        raise VideoError("there is nothing to join")
    film = _Film(out, tuple(pieces), fps, chapters, tuple(sounds), loudness, captions)
    film.check_transitions()
    reason = _why_not_copy(film)
    sound_reason = _why_not_copy_sound(film, reason)
    try:
        joined = _encode(film, reason) if reason else _copy(film, copies_sound=not sound_reason)
    except BaseException:
        Path(out).unlink(missing_ok=True)
        raise
    sound: Literal["none", "copy", "encode"] = "encode" if sound_reason else "copy"
    if not film.has_sound:
        sound, sound_reason = "none", ""
    notes = (*_notes(film), *joined.notes)
    return replace(joined, notes=notes, sound=sound, sound_reason=sound_reason)


@dataclass(frozen=True)
class _Film:
    """The pieces of a join."""

    out: str
    pieces: tuple[Piece, ...]
    fps: Fraction
    chapters: bool
    added: tuple[PlacedSound, ...] = ()
    loudness: float | None = None
    captions: Mapping[str, Sequence[Cue]] = field(default_factory=dict)

    @property
    def clips(self) -> list[StreamLayout]:
        return [piece.clip for piece in self.pieces]

    @property
    def size(self) -> tuple[int, int]:
        width, height = Counter(clip.size for clip in self.clips).most_common(1)[0][0]
        return width + width % 2, height + height % 2

    @property
    def frames(self) -> int:
        return self.pieces[-1].starts_at + self.pieces[-1].frames

    @property
    def seconds(self) -> Fraction:
        return self.frames / self.fps

    @property
    def has_sound(self) -> bool:
        return bool(self.added) or any(piece.clip.sound and piece.volume for piece in self.pieces)

    def sound(self, number: int) -> PlacedSound | None:
        """The sound of a piece in its place, None where it has none that is heard."""
        piece = self.pieces[number]
        layout = piece.clip.sound
        if layout is None or not piece.volume:
            return None
        starts_at = piece.starts_at / self.fps
        lasts = min(piece.moving / self.fps, (layout.ends_at - piece.source_in) / piece.speed)
        before, after = self.overlap(number) / self.fps, self.overlap(number + 1) / self.fps
        return PlacedSound(
            piece.clip.path,
            starts_at,
            starts_at + max(Fraction(0), lasts),
            piece.source_in,
            layout.offset,
            before or SEAM,
            after or SEAM,
            piece.volume,
            piece.speed,
        )

    def sounds(self) -> list[PlacedSound]:
        """All sound that is heard."""
        of_clips = [sound for sound in map(self.sound, range(len(self.pieces))) if sound is not None]
        return [*of_clips, *self.added]

    def name(self, number: int) -> str:
        """What to call a piece in a message."""
        return self.pieces[number].title or self.clips[number].name

    def overlap(self, number: int) -> int:
        """Number of frames in which a piece and the one before it are mixed; 0 after the last piece."""
        return self.pieces[number].overlap if number < len(self.pieces) else 0

    def drops_last(self, number: int) -> bool:
        """Whether a copy leaves out the last packet of a piece, in place of the frame that the next one drops."""
        return number + 1 < len(self.pieces) and self.pieces[number + 1].drops_first

    def check_transitions(self) -> None:
        """Raise `VideoError` for an unknown transition or a negative length."""
        for number, piece in enumerate(self.pieces):
            if piece.transition not in (CUT, *TRANSITIONS):
                known = ", ".join((CUT, *TRANSITIONS))
                raise VideoError(
                    f"{self.name(number)}: there is no transition {piece.transition!r}; there are {known}"
                )
            if piece.overlap < 0:
                seconds = float(piece.overlap / self.fps)
                raise VideoError(f"{self.name(number)}: a transition cannot last {seconds:g} s")

    def write_chapters(self, container: av.container.OutputContainer) -> None:
        """Write the pieces as chapters, if asked to."""
        if self.chapters:
            starts = [float(piece.starts_at / self.fps) for piece in self.pieces]
            titles = [piece.title for piece in self.pieces]
            write_chapters(container, titles, starts, float(self.frames / self.fps))


def _why_not_copy(film: _Film) -> str:
    """Why the film has to be encoded; empty when packets can be copied."""
    for number, (piece, clip) in enumerate(zip(film.pieces, film.clips, strict=True)):
        if piece.overlap:
            return f"{film.name(number)} begins with a {piece.transition}"
        if piece.speed != 1:
            return f"{film.name(number)} is shown at another speed"
        if piece.hold:
            return f"the last frame of {film.name(number)} is held"
        if piece.source_in and not piece.drops_first:
            return f"the beginning of {film.name(number)} is trimmed off"
        if clip.codec != "h264" or clip.pixels != "yuv420p":
            return f"{film.name(number)} is {clip.codec} {clip.pixels}, which not every browser plays"
        if "mp4" not in clip.container.split(","):
            return f"{film.name(number)} is not an MP4"
        if not clip.even:
            return f"{film.name(number)} does not have a constant frame rate"
        if piece.drops_first and not film.clips[number - 1].plays_last_decoded_last:
            return f"the frame that {film.name(number)} repeats cannot be taken out without decoding"
        if piece.drops_first and film.clips[number - 1].frames == 1:
            return f"{film.name(number - 1)} is a single frame"
    first = film.clips[0].stream_facts()
    for number, clip in enumerate(film.clips):
        differing = [fact for fact, value in clip.stream_facts().items() if value != first[fact]]
        if differing:
            return f"{film.name(number)} differs from {film.name(0)} in {', '.join(differing)}"
    for number, (piece, clip) in enumerate(zip(film.pieces, film.clips, strict=True)):
        shown = piece.frames + piece.drops_first
        ends_early = shown < clip.frames and clip.plays_in_order
        if clip.fps != film.fps or (shown != clip.frames and not ends_early):
            return f"{film.name(number)} is not shown frame by frame"
    return ""


def _why_not_copy_sound(film: _Film, pictures: str) -> str:
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


def _notes(film: _Film) -> Iterator[str]:
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


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _rate(fps: Fraction) -> str:
    return f"{float(fps):.5g}"


def _copy(film: _Film, *, copies_sound: bool) -> Joined:
    model = film.clips[0]
    with av.open(film.out, "w", format="mp4", options=MP4_OPTIONS) as container:
        with opened(model.path) as source:
            stream = container.add_stream_from_template(picture_stream(source))
            heard = sound_stream(source)
            splices = heard is not None and film.has_sound and copies_sound
            copied = container.add_stream_from_template(heard) if heard and splices else None
        stream.time_base = model.time_base
        read, read_for_sound = tee(_read_ahead([clip.path for clip in film.clips], sound=copied is not None))
        if copied is not None:
            spliced = _spliced(film, (packets.sound for packets in read_for_sound))
            track: SoundTrack | None = SoundTrack(container, copied, spliced)
        else:
            track = (
                mixed_track(container, film.sounds(), film.seconds, film.loudness) if film.has_sound else None
            )
        write_cues(container, film.captions)
        for number, (packets, piece) in enumerate(zip(read, film.pieces, strict=True)):
            clip = piece.clip
            # The whole clip is there, so where its first frame is dropped it begins that much earlier.
            begin = (piece.starts_at - piece.drops_first) * clip.tick - clip.first
            shown = piece.frames + piece.drops_first - film.drops_last(number)
            for packet in packets.pictures[:shown]:
                packet.pts = (packet.pts or 0) + begin
                packet.dts = (packet.dts or 0) + begin
                packet.stream = stream
                if track:
                    track.advance(float(packet.dts * model.time_base))
                container.mux(packet)
        if track:
            track.finish()
        film.write_chapters(container)
    reason = "all clips are alike and all joins are cuts"
    return Joined("copy", reason, film.frames, float(film.frames / film.fps), film.fps, *model.size)


def _spliced(film: _Film, clips: Iterator[Packets]) -> "Iterator[av.Packet[Any]]":
    """The packets of the sound of a film whose clips have sound that is alike."""
    splicer: Splicer | None = None
    for number, packets in enumerate(clips):
        layout, sound = film.clips[number].sound, film.sound(number)
        if layout is None or sound is None:
            raise VideoError(f"{film.name(number)}: it has no sound")
        splicer = splicer or Splicer(layout.rate, film.seconds)
        yield from splicer.add(sound, layout, packets)
    if splicer is not None:
        yield from splicer.finish()


@dataclass(frozen=True)
class _Read:
    """The packets of a clip."""

    pictures: "Sequence[av.Packet[VideoStream]]"
    sound: Packets


def _read_ahead(paths: Sequence[str], *, sound: bool) -> Iterator[_Read]:
    """The packets of each clip; the next clips are read in the meantime."""
    with ThreadPoolExecutor(_READERS) as readers:
        coming: deque[Future[_Read]] = deque()
        for path in paths:
            coming.append(readers.submit(_packets, path, sound))
            if len(coming) > _READERS:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _packets(path: str, sound: bool) -> _Read:
    with opened(path, packets_only=True) as container:
        pictures, heard = picture_stream(container), sound_stream(container) if sound else None
        found: tuple[list[av.Packet[Any]], list[av.Packet[Any]]] = ([], [])
        for packet in container.demux(*filter(None, (pictures, heard))):
            # PyAV ends a stream with an empty packet, which would end the output too.
            if packet.size:
                found[packet.stream is heard].append(packet)
        return _Read(*found)


def _encode(film: _Film, reason: str) -> Joined:
    short: list[str] = []
    with h264_mp4(film.out, film.size, film.fps, FILM_OPTIONS) as writer:
        track = (
            mixed_track(writer.container, film.sounds(), film.seconds, film.loudness)
            if film.has_sound
            else None
        )
        write_cues(writer.container, film.captions)
        # The end of the piece before, held back for as long as the coming transition needs it.
        held: deque[av.VideoFrame] = deque()
        for number, piece in enumerate(film.pieces):
            skipped = nearest(piece.source_in / piece.speed * film.fps)
            found = islice(conformed(piece.clip.path, film.size, film.fps, piece.speed), skipped, None)
            exact = _Exactly(piece.moving, piece.hold, film.name(number))
            frames = exact.of(found)
            head = list(islice(frames, piece.overlap))
            if head:
                for mixed in cross(tuple(held), head, piece.transition):
                    writer.write(mixed)
                held.clear()
            for count, frame in enumerate(frames, len(head) + 1):
                held.append(frame)
                if len(held) > film.overlap(number + 1):
                    writer.write(held.popleft(), keyframe=count == 1)
                    if track:
                        track.advance(writer.seconds)
            if exact.missing:
                short.append(film.name(number))
        if track:
            track.finish()
        film.write_chapters(writer.container)
    notes = (
        [f"{_listed(short)}: fewer pictures than the file promises; the last one is held"] if short else []
    )
    return Joined("encode", reason, writer.frames, writer.seconds, film.fps, *film.size, tuple(notes))


@dataclass
class _Exactly:
    """Gives exactly the frames of a piece, whatever its file turns out to hold; `missing` counts what it lacks.

    The last one stays for `hold` frames more.
    """

    frames: int
    hold: int
    name: str
    missing: int = field(default=0, init=False)

    def of(self, found: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The frames, and the last one again for each that is missing or held."""
        count, last = 0, None
        for last in islice(found, self.frames):
            count += 1
            yield last
        if last is None:
            raise VideoError(f"{self.name}: there is no picture in it")
        self.missing = self.frames - count
        for _ in range(self.missing + self.hold):
            yield last
