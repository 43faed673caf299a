"""The cut as editing programs lay it out: clips end to end, and transitions that take their handles from both sides.

A generated clip has nothing beyond its ends, so a transition lies around its cut and takes a half of the overlap from
either side; the timeline is as long as the film. Every time is in frames of the film, so that the lengths add up
whatever the rates of the clips.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from minimax_tasks.storyboard.captions import captions_of
from minimax_tasks.storyboard.edit import Cut
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut
from minimax_tasks.storyboard.plan import PlannedShot


@dataclass(frozen=True)
class Placed:
    """A cut on a timeline; `begins` and `frames` are what is seen of it between the middles of its transitions.

    `head` and `tail` are its handles, before and behind that. The transition into it takes `overlap` frames.
    """

    cut: Cut
    shot: PlannedShot
    begins: int
    frames: int
    head: int
    tail: int
    overlap: int
    following: int
    """How many frames the transition out of it takes."""
    held: int
    """How many frames, at its end with the `tail`, repeat the one before them."""
    rate: Fraction

    @property
    def ends(self) -> int:
        """The frame of the film behind it."""
        return self.begins + self.frames

    @property
    def moving(self) -> int:
        """How many of its frames are those of the clip, before what is held."""
        return self.frames + self.tail - self.held

    @property
    def source(self) -> Fraction:
        """What is seen first of the clip, in seconds of that."""
        return self.cut.source_in + self.head * self.each

    @property
    def each(self) -> Fraction:
        """How far the clip goes on in a frame of the film, in seconds."""
        return self.cut.speed / self.rate

    @property
    def last(self) -> Fraction:
        """The frame that is held, in seconds of the clip."""
        return self.source + (self.moving - 1) * self.each

    @property
    def is_in_two(self) -> bool:
        """Whether it can be laid out as a clip and its held frame: no transition lies over where they meet."""
        held = self.held - self.tail
        return held >= max(1, self.following // 2) and self.frames - held >= max(1, self.overlap - self.head)

    @property
    def is_heard(self) -> bool:
        """Whether the sound of its clip goes into the film."""
        return self.cut.volume != 0


def placed(cut: ExportedCut) -> list[Placed]:
    """All cuts in order."""
    edit = cut.edit
    overlaps = [*(edit.frames(one.overlap) for one in edit.cuts), 0]
    found = []
    for one, overlap, following in zip(edit.cuts, overlaps, overlaps[1:], strict=False):
        head, tail = overlap // 2, following - following // 2
        found.append(
            Placed(
                one,
                cut.plan.by_id[one.shot],
                begins=edit.frames(one.starts_at) + head,
                frames=edit.frames(one.length) - head - tail,
                head=head,
                tail=tail,
                overlap=overlap,
                following=following,
                held=edit.frames(one.hold),
                rate=cut.rate,
            )
        )
    return found


@dataclass(frozen=True)
class Words:
    """What is spoken, noted or written over a shot: from frame `begins` to before frame `ends` of the film.

    `kind` is "dialogue", "notes" or "title"; `language` that of the words, "" where the board names none. `label` is for
    people: `dialogue: …`, in a second language `dialogue zh: …`.
    """

    shot: str
    kind: str
    text: str
    begins: int
    ends: int
    label: str
    language: str = ""
    look: str = ""
    is_card: bool = False


def words_of(cut: ExportedCut) -> Iterator[Words]:
    """Titles, what is spoken and what is noted, shot by shot."""
    edit, spoken = cut.edit, captions_of(cut.plan, cut.edit)
    for one in placed(cut):
        shot = one.cut.shot
        for title in edit.titles:
            if title.shot == shot:
                begins, ends = edit.frames(title.starts_at), edit.frames(title.ends_at)
                words, look = title.title.words, title.title.look
                yield Words(
                    shot, "title", words, begins, ends, f"title: {words}", "", look, title.title.is_card
                )
        for number, (language, captions) in enumerate(spoken.items()):
            for line in captions:
                if line.shot == shot:
                    begins, ends = edit.frames(line.starts_at), edit.frames(line.ends_at)
                    label = f"dialogue{f' {language}' if number else ''}: {line.text}"
                    yield Words(shot, "dialogue", line.text, begins, ends, label, language)
        if one.shot.shot.notes:
            notes = one.shot.shot.notes
            yield Words(shot, "notes", notes, one.begins, one.begins + 1, f"notes: {notes}")
