"""What of a film a format has no words for: told once, when it is exported, with the shots."""

from collections.abc import Callable, Iterator

from minimax_tasks.storyboard.edit import Cut
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut
from minimax_tasks.storyboard.exports.framing import framing_of
from minimax_tasks.storyboard.exports.timeline import placed
from minimax_tasks.storyboard.exports.wipes import WIPES, fcp7_effect, fcpx_effect
from minimax_tasks.video.transition_names import BLENDS

_OTIO = (".otio", ".otioz")
_TIMELINES = (*_OTIO, ".xml", ".fcpxml", ".edl")


def losses(cut: ExportedCut, ending: str) -> list[str]:
    """A line for each thing that the film has and a file with this ending has not."""
    if ending not in _TIMELINES:
        return []
    found = []
    for endings, told, shots in _RULES:
        named = list(dict.fromkeys(shots(cut, ending))) if ending in endings else []
        if named:
            found.append(f"{told}: {'shot' if len(named) == 1 else 'shots'} {', '.join(named)}")
    if cut.edit.loudness is not None:
        found.append(
            f"the film is levelled to {cut.edit.loudness:g} LUFS; the timeline has the levels before that"
        )
    return found


def _shots(which: Callable[[ExportedCut, Cut], bool]) -> Callable[[ExportedCut, str], Iterator[str]]:
    return lambda cut, _: (one.shot for one in cut.edit.cuts if which(cut, one))


def _unlike(cut: ExportedCut, ending: str) -> Iterator[str]:
    """Shots whose transition is written as a cross dissolve and is none."""
    known: dict[str, Callable[[str], object]] = {
        ".xml": fcp7_effect,
        ".fcpxml": fcpx_effect,
        ".edl": (*BLENDS, *WIPES).__contains__,
    }
    for one in cut.edit.cuts:
        if one.overlap and not known[ending](one.join.kind):
            yield f"{one.shot} ({one.join.kind})"


def _backwards(cut: ExportedCut, _: str) -> Iterator[str]:
    for one in cut.edit.cuts:
        if one.overlap and one.join.kind in WIPES and WIPES[one.join.kind].reversed:
            yield f"{one.shot} ({one.join.kind})"


def _crossed(cut: ExportedCut, _: str) -> Iterator[str]:
    return (one.cut.shot for one in placed(cut) if one.held and not one.is_in_two)


def _titled(cut: ExportedCut, _: str) -> Iterator[str]:
    return (one.shot for one in cut.edit.titles if not one.title.is_card)


_placed_otherwise = _shots(lambda cut, one: not framing_of(cut, one).is_plain)
_on_blur = _shots(lambda cut, one: framing_of(cut, one).ground)
_graded = _shots(lambda _, one: one.grade != "off")

_RULES: tuple[tuple[tuple[str, ...], str, Callable[[ExportedCut, str], Iterator[str]]], ...] = (
    ((".edl",), "an EDL has no sizes, so pictures stand as they are", _placed_otherwise),
    (_OTIO, "sizes and places of pictures are in the metadata alone", _placed_otherwise),
    ((".xml", ".fcpxml"), "the blurred ground behind the picture is left out", _on_blur),
    ((".xml", ".fcpxml", ".edl"), "the format has no such transition, so it is a cross dissolve", _unlike),
    ((".edl",), "an EDL has no word for a wipe that runs backwards, so it runs forwards", _backwards),
    ((*_OTIO, ".xml"), "a transition lies over the beginning of a held frame, so that part has no picture", _crossed),
    ((*_OTIO, ".edl"), "titles are markers", _titled),
    ((".xml", ".fcpxml"), "titles are set in the program's own face", _titled),
    (_TIMELINES, "matched colours (`grade`) are left out", _graded),
)  # fmt: skip
"""Endings, what is lost, and the shots that lose it."""
