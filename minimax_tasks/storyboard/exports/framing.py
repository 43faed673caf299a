"""Where the picture of a clip lies in the frame of a film, in the numbers in which editing programs place pictures."""

from dataclasses import dataclass

from minimax_tasks.storyboard.edit import Cut
from minimax_tasks.storyboard.exports.exported_cut import ExportedCut
from minimax_tasks.video.shape import fitted


@dataclass(frozen=True)
class Framing:
    """A whole picture in the frame of a film.

    It is `scale` times as large as it is by itself, across and down. Its middle lies `right` and `down` of that of the
    frame, in pixels of the film. Of its edges `cut_off` is hidden where the frame does not hide it anyhow. With a
    `ground` it stands on a blurred copy of itself.
    """

    scale: tuple[float, float]
    right: float
    down: float
    cut_off: tuple[float, float, float, float]
    """Left, top, right and bottom, in parts of the picture."""
    ground: bool

    @property
    def is_plain(self) -> bool:
        """Whether it lies in the frame as it is."""
        return self.scale == (1, 1) and not (self.right or self.down or any(self.cut_off))


def framing_of(cut: ExportedCut, one: Cut) -> Framing:
    """That of a cut: the same picture, to the pixel, as the film has."""
    clip, fill = cut.clips[one.clip], cut.plan.shape.fill
    fitting = fitted(clip.size, clip.pixel_aspect, cut.size, fill, one.crop)
    (wide, high), (left, top, width, height) = clip.size, fitting.box
    across, down = (float(side) for side in (fitting.inner[0] / width, fitting.inner[1] / height))
    fills = fitting.inner == cut.size
    edges = (left / wide, top / high, 1 - (left + width) / wide, 1 - (top + height) / high)
    return Framing(
        (across / float(clip.pixel_aspect), down),
        (wide / 2 - left - width / 2) * across,
        (high / 2 - top - height / 2) * down,
        (0.0, 0.0, 0.0, 0.0) if fills or fitting.is_whole else edges,
        fill == "blur" and not fills,
    )
