"""From finished clips to the film, its report and its manifest."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from minimax_tasks.clips.belonging import Source, other_owner, place_of, take
from minimax_tasks.clips.folder import now
from minimax_tasks.clips.layout import FILM, FILM_MANIFEST, FILMS, PARTIAL_FILM, REPORT, VIDEO, clip_file
from minimax_tasks.clips.state import ClipState, ClipStatus, clip_states
from minimax_tasks.errors import BoardError, FilmIncomplete, VideoError
from minimax_tasks.storage.files import Storage
from minimax_tasks.storage.publication import FILES, publish, stands
from minimax_tasks.storage.temporary import temporary_folder
from minimax_tasks.storyboard.captions import captions_of
from minimax_tasks.storyboard.damaged import damaged_clips, without_damaged
from minimax_tasks.storyboard.edit import ClipLength, Edit, asked_lengths, make_edit
from minimax_tasks.storyboard.own.videos import own_videos
from minimax_tasks.storyboard.plan import Plan
from minimax_tasks.storyboard.planning.reasons import made_from, reasons
from minimax_tasks.storyboard.planning.sounds import local_sound
from minimax_tasks.storyboard.words import burnt_language, overlays_of
from minimax_tasks.video.rates import DEFAULT_FPS

if TYPE_CHECKING:
    from minimax_tasks.video.join import Joined
    from minimax_tasks.video.mix import PlacedSound
    from minimax_tasks.video.stream_layout import StreamLayout

EARLIER_FILM = f"{FILM} in this folder is the film as it was made before"

_SLATE_SIZE = (1366, 768)
"""Pixels of a slate where there is no clip whose size it could have."""


def film_folder(root: Storage, plan: Plan) -> str:
    """The folder of a plan's film under a root: its own by name, or the one that it had by the rule before."""
    folder, former = f"{FILMS}/{plan.slug}", f"{FILMS}/{plan.former_slug}"
    if former == folder or root.names(folder):
        return folder
    manifest = root.read_json(f"{former}/{FILM_MANIFEST}") or {}
    is_its_own = manifest.get("title") == plan.board.title and not other_owner(
        root, former, _source(root, plan, former)
    )
    return former if is_its_own else folder


def check_film_is_own(root: Storage, plan: Plan) -> None:
    """Raise `BoardError` when the folder of a plan's film belongs to another board. Nothing is written."""
    folder = film_folder(root, plan)
    _raise_if_taken(root, plan, folder, other_owner(root, folder, _source(root, plan, folder)))


def take_film_folder(root: Storage, plan: Plan) -> None:
    """Make the folder of a plan's film its own, before anything is paid. Raises `BoardError` when it is taken.

    The frames of footage and drawings from which clips start are kept under the root from then on: whoever submits
    those clips finds them there. Raises `VideoError` for footage that has changed since it was planned.
    """
    folder = film_folder(root, plan)
    _raise_if_taken(root, plan, folder, take(root, folder, _source(root, plan, folder)))
    for own, place in plan.own_frames:
        own.keep_frame(root, place)


def _raise_if_taken(root: Storage, plan: Plan, folder: str, other: str) -> None:
    if other:
        called = f"the name {plan.name!r}" if plan.name else f"the title {plan.board.title!r}"
        raise BoardError(
            [
                f"{place_of(plan.path)}: {called} gives the folder {root.join(folder)}, which holds the film of another "
                f"board, {other}."
            ],
            advice="Give this film another title, or a folder of its own with `name`. If it is that board, moved: "
            "remove the folder; its clips stay",
            folder=root.join(folder),
            owner=other,
        )


def _source(root: Storage, plan: Plan, folder: str) -> Source:
    def is_made_there() -> bool:
        names = root.names(folder)
        if FILM not in names:
            return True
        manifest = root.read_json(f"{folder}/{FILM_MANIFEST}") or {}
        clips = {key for shot in manifest.get("shots", ()) for key in shot.get("takes", ())}
        return not clips.isdisjoint(key for shot in plan.shots for key in shot.keys)

    return Source(plan.path, FILM_MANIFEST, "board", is_made_there)


def is_current(root: Storage, plan: Plan) -> bool:
    """Whether the film is there, with every take, and was made from what the board says now.

    The film and the report are what the manifest says they are, as far as a quick look can show.
    """
    folder = film_folder(root, plan)
    manifest = root.read_json(f"{folder}/{FILM_MANIFEST}")
    if manifest is None or manifest.get("digest") != plan.digest or manifest.get("missing"):
        return False
    files = manifest.get(FILES)
    if not isinstance(files, dict) or not {FILM, REPORT} <= files.keys():
        return False  # written before manifests named what they vouch for
    return stands(root, folder, files)


def why_to_make(root: Storage, plan: Plan, states: Mapping[str, ClipState]) -> dict[str, str]:
    """Key -> why, for every clip of the plan that is to be made."""
    manifest = root.read_json(f"{film_folder(root, plan)}/{FILM_MANIFEST}")
    to_make = [key for key, state in states.items() if state.status is ClipStatus.TO_MAKE]
    return reasons(plan, manifest, to_make)


def film_notes(root: Storage, plan: Plan) -> list[str]:
    """How the film differs from its clips, in words for people: other frame rates, clips that were turned."""
    manifest = root.read_json(f"{film_folder(root, plan)}/{FILM_MANIFEST}") or {}
    return [str(note) for note in manifest.get("notes") or ()]


@dataclass(frozen=True)
class FilmMaker:
    """Makes the film of a plan from its clips under a root."""

    root: Storage
    plan: Plan

    def make(self, problems: Mapping[str, str] = MappingProxyType({})) -> None:
        """Join the clips and publish `film.mp4`, `report.html` and `manifest.json`, which vouches for both.

        Takes that are not picked may be missing; the manifest names them, and the report says why: `problems`
        has, by clip key, what is known of a clip beyond its files. Raises `FilmIncomplete` when a picked clip
        is missing, `VideoError` when one cannot be joined, and `BoardError` when the folder is another board's.
        """
        take_film_folder(self.root, self.plan)
        states = self._states(problems)
        holes = {
            shot.shot.id: self.root.join(clip_file(shot.key, VIDEO))
            for shot in self.plan.shown
            if shot.own is None and states[shot.key].status is not ClipStatus.MADE
        }
        if holes:
            named = ", ".join(f"{shot} ({path})" for shot, path in holes.items())
            raise FilmIncomplete(f"the film is not joined: clips are missing, of shot {named}", missing=holes)
        missing = [key for key, state in states.items() if state.status is not ClipStatus.MADE]
        with self._clips(states) as (clips, scratch), own_videos(self.root, self.plan, clips) as own:
            film, page = scratch / FILM, scratch / REPORT
            clips |= own
            layouts = self._layouts(clips)
            edit = make_edit(self.plan, _lengths(layouts))
            pieces = [layouts[cut.clip] for cut in edit.cuts]
            joined = _join(film, self.plan, edit, pieces, self._sounds(edit, scratch))
            made_at = now()
            page.write_bytes(self._page(edit, clips, states, joined, FILM, made_at).encode())
            manifest = self._manifest(edit, joined, made_at, missing)
            self.root.remove(
                self._name(PARTIAL_FILM)
            )  # first: after a kill the whole film would not be made again
            publish(self.root, self.folder, {FILM: film, REPORT: page}, FILM_MANIFEST, manifest)
            self.root.sweep(self.folder)

    def make_partial(self, problems: Mapping[str, str], *, film: bool) -> str:
        """Write a report of what there is and, with `film`, a film with a slate for each missing shot.

        `problems` as in `make`. Returns the path of the partial film, "" without one. Clips that cannot be joined
        keep the film from being written, but not the report, which says why.
        """
        take_film_folder(self.root, self.plan)
        states = self._states(problems)
        with self._clips(states) as (clips, scratch), ExitStack() as stack:
            without_damaged(clips, states)
            edit, joined, name = make_edit(self.plan, asked_lengths(self.plan)), None, ""
            warnings = [EARLIER_FILM] if self.root.exists(self._name(FILM)) else []
            if film:
                try:
                    clips |= stack.enter_context(own_videos(self.root, self.plan, clips))
                    layouts = self._layouts(clips)
                    with_slates = make_edit(self.plan, _lengths(layouts), slates=True)
                    pieces = self._with_slates(with_slates, layouts, states, scratch)
                    sounds = self._sounds(with_slates, scratch)
                    joined = _join(scratch / PARTIAL_FILM, self.plan, with_slates, pieces, sounds)
                except VideoError as error:
                    warnings.append(f"the partial film cannot be joined: {error}")
                else:
                    edit, name = with_slates, PARTIAL_FILM
                    self.root.put(scratch / PARTIAL_FILM, self._name(PARTIAL_FILM))
            page = self._page(edit, clips, states, joined, name, now(), warnings)
            self.root.write(self._name(REPORT), page.encode())
        return self.root.join(self._name(name)) if name else ""

    def _page(
        self,
        edit: Edit,
        clips: Mapping[str, str],
        states: Mapping[str, ClipState],
        joined: "Joined | None",
        film: str,
        made_at: str,
        warnings: Sequence[str] = (),
    ) -> str:
        from minimax_tasks.storyboard.report.gather import film_report
        from minimax_tasks.storyboard.report.page import render_report

        report = film_report(self.root, self.plan, edit, clips, states, joined, film, made_at)
        return render_report(replace(report, warnings=(*report.warnings, *warnings)))

    def damaged(self) -> dict[str, str]:
        """What is wrong with clips that exist but cannot be read, by key."""
        with self._clips(clip_states(self.root, self._keys)) as (clips, _):
            return damaged_clips(clips)

    @property
    def _keys(self) -> list[str]:
        return [segment.key for segment in self.plan.segments]

    def _states(self, problems: Mapping[str, str]) -> dict[str, ClipState]:
        found = clip_states(self.root, self._keys, tasks=True)
        return {
            key: replace(state, reason=problems[key], advice="") if problems.get(key) else state
            for key, state in found.items()
        }

    @cached_property
    def folder(self) -> str:
        """The folder of the film under the root."""
        return film_folder(self.root, self.plan)

    def _name(self, name: str) -> str:
        return f"{self.folder}/{name}"

    @contextmanager
    def _clips(self, states: Mapping[str, ClipState]) -> Iterator[tuple[dict[str, str], Path]]:
        """Local paths of the clips that are made, by key, and a folder to work in."""
        with ExitStack() as stack:
            scratch = stack.enter_context(temporary_folder())
            clips = {
                key: str(stack.enter_context(self.root.as_local(clip_file(key, VIDEO))))
                for key, state in states.items()
                if state.status is ClipStatus.MADE
            }
            yield clips, scratch

    def _layouts(self, clips: Mapping[str, str]) -> dict[str, "StreamLayout"]:
        """The layouts of the picked clips that exist, by key."""
        from minimax_tasks.video.stream_layout import read_layouts

        keys = list(dict.fromkeys(shot.key for shot in self.plan.shown if shot.key in clips))
        return dict(zip(keys, read_layouts([clips[key] for key in keys]), strict=True))

    def _with_slates(
        self,
        edit: Edit,
        layouts: Mapping[str, "StreamLayout"],
        states: Mapping[str, ClipState],
        scratch: Path,
    ) -> list["StreamLayout"]:
        """The clips of the cuts, with a card for each that is missing."""
        from minimax_tasks.video.slate import write_slate
        from minimax_tasks.video.stream_layout import read_layout

        sizes = [layout.size for layout in layouts.values()]
        size, rate = edit.shape.size_for(sizes or [_SLATE_SIZE]), edit.rate or DEFAULT_FPS
        clips = []
        for number, cut in enumerate(edit.cuts):
            if not cut.is_slate:
                clips.append(layouts[cut.clip])
                continue
            path, state = scratch / f"slate-{number}.mp4", states[cut.clip]
            words = (str(state.status), state.problem[:300], self.plan.by_id[cut.shot].shot.action or "")
            write_slate(path, size, rate, float(cut.length), f"Shot {cut.shot} is missing", words)
            clips.append(read_layout(str(path)))
        return clips

    def _sounds(self, edit: Edit, scratch: Path) -> list["PlacedSound"]:
        """The beds and voices of an edit, with local files. Raises `VideoError` for one that changed or is gone."""
        from minimax_tasks.video.loops import loop_fade
        from minimax_tasks.video.mix import SEAM, PlacedSound

        files: dict[str, str] = {}
        loops: dict[tuple[str, float], Fraction] = {}
        for sound in edit.sounds:
            if sound.name not in files:
                files[sound.name] = local_sound(self.plan.sounds[sound.name], scratch / f"sound-{len(files)}")
            loop = sound.name, sound.volume
            if sound.goes_on and loop not in loops:
                length = sound.source_in + sound.ends_at - sound.starts_at
                loops[loop] = loop_fade(files[sound.name], length, sound.volume)
        return [
            PlacedSound(
                files[sound.name],
                sound.starts_at,
                sound.ends_at,
                sound.source_in,
                fade_in=loops[sound.name, sound.volume] if sound.follows else max(sound.fade_in, SEAM),
                fade_out=loops[sound.name, sound.volume] if sound.goes_on else max(sound.fade_out, SEAM),
                volume=sound.volume,
                ducks=sound.ducks,
                ducked=sound.ducked,
            )
            for sound in edit.sounds
        ]

    def _manifest(self, edit: Edit, joined: "Joined", made_at: str, missing: list[str]) -> dict[str, Any]:
        """Which board, which clips, which joins."""
        cuts = [(cut, self.plan.by_id[cut.shot]) for cut in edit.cuts]
        shots = [
            {
                "id": cut.shot,
                "clip": cut.clip,
                "take": cut.take,
                "takes": shot.keys,
                "join": cut.join.label,
                "drops_repeated_frame": cut.drops_repeated_frame,
                "starts_at": round(float(cut.starts_at), 4),
                "made_from": made_from(self.plan, shot),
            }
            for cut, shot in cuts
        ]
        return {
            "digest": self.plan.digest,
            "title": self.plan.board.title,
            "board": place_of(self.plan.path),
            "made_at": made_at,
            "joined": joined.method,
            "reason": joined.reason,
            "copied_frames": joined.copied,
            "sound": joined.sound,
            "sound_reason": joined.sound_reason,
            "notes": list(joined.notes),
            "frames": edit.frames(edit.seconds),
            "seconds": round(float(edit.seconds), 4),
            "fps": float(joined.fps),
            "width": joined.width,
            "height": joined.height,
            "shots": shots,
            "missing": missing,
        }


def length_of(clip: "StreamLayout") -> ClipLength:
    """The length that a clip has."""
    return ClipLength(clip.seconds, clip.fps, clip.frames)


def _join(
    out: Path,
    plan: Plan,
    edit: Edit,
    clips: Sequence["StreamLayout"],
    sounds: Sequence["PlacedSound"],
) -> "Joined":
    """Write the film of an edit; `clips` has one for each cut. Raises `VideoError`."""
    from minimax_tasks.video.encode import Cue
    from minimax_tasks.video.join import join

    if problem := edit.problem():
        raise VideoError(problem)
    captions = {
        language: [Cue(float(one.starts_at), float(one.ends_at), one.text) for one in found]
        for language, found in captions_of(plan, edit).items()
        if plan.burnt is None or language != burnt_language(plan)
    }
    return join(
        str(out),
        edit.pieces(clips),
        edit.rate or DEFAULT_FPS,
        sounds=sounds,
        loudness=edit.loudness,
        captions=captions,
        shape=edit.shape,
        overlays=overlays_of(plan, edit),
        title=plan.board.title,
        poster=_poster(plan, edit),
    )


def _poster(plan: Plan, edit: Edit) -> int | None:
    """The frame that stands for the film: in the middle of its first shot that is more than a card."""
    ends = [*(cut.starts_at for cut in edit.cuts[1:]), edit.seconds]
    for cut, until in zip(edit.cuts, ends, strict=True):
        is_card = cut.is_slate or any(title.is_card for title in plan.by_id[cut.shot].shot.title)
        # Between the transitions at its two ends.
        begin, end = edit.frames(cut.starts_at + cut.overlap), edit.frames(until)
        if not is_card and begin < end:
            return (begin + end) // 2
    return None


def _lengths(layouts: Mapping[str, "StreamLayout"]) -> dict[str, ClipLength]:
    return {key: length_of(layout) for key, layout in layouts.items()}
