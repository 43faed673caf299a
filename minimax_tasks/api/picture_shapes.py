"""The shapes of pictures as numbers: which are alike, and what a crop leaves. No picture is opened here."""

from minimax_tasks.api.catalog.models import V1_PICTURES, PictureLimits
from minimax_tasks.errors import PictureError
from minimax_tasks.shapes import SHAPE_TOLERANCE


def size_fault(width: int, height: int, limits: PictureLimits) -> tuple[str, str, bool] | None:
    """What is allowed, what is wrong with a size, and whether `fit` would mend it; None if a model takes the size."""
    low, high = limits.aspect
    size = f"{width} x {height} px"
    if min(width, height) < limits.shortest:
        return f"a short side over {limits.shortest - 1} px", f"it is too small, {size}", False
    if limits.longest is not None and max(width, height) > limits.longest:
        return f"a long side of at most {limits.longest} px", f"it is too large, {size}", True
    if not low <= width / height <= high:
        return "an aspect ratio from 2:5 to 5:2", f"{size} is {width / height:.2f}:1", True
    return None


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two pictures, (width, height) each, are so alike in shape that neither is cropped."""
    # With floats, as ever: whether a picture is cropped is in the key of a clip that may be paid for.
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= SHAPE_TOLERANCE


def cropped_size(own: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int]:
    """What is left of a picture when it is cropped to the shape of another; its own size if they are alike."""
    if same_shape(own, shape):
        return own
    wanted, ratio = shape[0] / shape[1], own[0] / own[1]
    wide, high = (1.0, ratio / wanted) if ratio < wanted else (wanted / ratio, 1.0)
    return round(own[0] * wide), round(own[1] * high)


def judge_crop(
    own: tuple[int, int],
    shape: tuple[int, int],
    *,
    field: str,
    name: str,
    limits: PictureLimits = V1_PICTURES,
) -> tuple[int, int]:
    """`cropped_size`, or `PictureError` when less would be left than the model takes."""
    size = cropped_size(own, shape)
    if size != own and min(size) < limits.shortest:
        raise PictureError(
            field,
            name,
            f"the shape of the first frame, {shape[0]} x {shape[1]} px",
            f"of its {own[0]} x {own[1]} px only {size[0]} x {size[1]} would be left",
        )
    return size
