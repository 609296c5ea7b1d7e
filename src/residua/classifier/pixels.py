"""Pixels of any type as 8 bits, and shapes that are pictures; what is neither is said with what to do."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import DataError, PictureError, ShapeError

Bytes = NDArray[np.uint8]


def to_pictures(array: NDArray[Any], what: str = "X") -> Bytes:
    """(N, H, W), (N, H, W, 1) or (N, H, W, 3) of any type as (N, H, W, C) uint8.

    Raises ShapeError, and as `to_bytes`.
    """
    shape = array.shape
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3):
        raise ShapeError(
            "pictures are arrays (N, H, W) or (N, H, W, 1 or 3), or a list of files; "
            f"{what} has the shape {shape}{_shape_hint(array)}"
        )
    return to_bytes(array, what)


def _shape_hint(array: NDArray[Any]) -> str:
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return ": its channels come first; give X.transpose(0, 2, 3, 1)"
    if array.ndim == 4 and array.shape[-1] == 4:
        return ": of four channels the last is transparency; give X[..., :3], or lay them on a ground"
    if array.ndim == 4 and array.shape[-1] == 2:
        return ": of two channels the last is transparency; give X[..., :1]"
    return ""


def to_bytes(array: NDArray[Any], what: str = "X", deep: bool = False) -> Bytes:
    """Pixels as uint8: 0 to 255 as they are, 0 to 1 times 255, uint16 by its range, bool black and white.

    deep: uint16 has 16 bits even where none is above 255. Raises DataError for NaN or infinity, naming
    pictures; ShapeError for values beyond.
    """
    kind = array.dtype.kind
    if array.dtype == np.uint8:
        return array
    if kind == "O":
        try:
            return to_bytes(array.astype(np.float64), what)
        except (TypeError, ValueError):
            raise ShapeError(f"{what} holds things that are no numbers") from None
    if array.size == 0 and kind in "fiub":
        return array.astype(np.uint8)
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind not in "fiu":
        raise ShapeError(f"pixels are numbers; {what} is of the type {array.dtype}")
    if kind == "f":
        check_finite(array, what)
    low, high = array.min(), array.max()
    if kind == "f" and low >= 0 and high <= 1:
        return np.asarray(np.rint(array * 255).astype(np.uint8))
    if array.dtype == np.uint16 and (high > 255 or high == 0 or deep):
        return np.asarray(np.rint(array * (255 / 65535)).astype(np.uint8))
    if kind in "iu" and array.dtype != np.uint16 and low >= 0 and high <= 255:
        return array.astype(np.uint8)
    raise ShapeError(
        "pixels are uint8 from 0 to 255, or floating point from 0 to 1: "
        f"{what} is {array.dtype} from {low:g} to {high:g}; {_range_hint(array, low, high)}"
    )


def _range_hint(array: NDArray[Any], low: Any, high: Any) -> str:
    if array.dtype == np.uint16:
        return "16 bits that are 8 bits in truth: give X.astype(np.uint8)"
    if low >= 0 and high <= 255:
        return f"divide by the largest that there can be, such as X / {255 if high > 16 else f'{high:g}'}"
    if -1 <= low < 0 and high <= 1:
        return "give (X + 1) / 2"
    return "shift and divide them, the same for pictures to learn from and to answer"


def check_finite(array: NDArray[Any], what: str) -> None:
    """Raise DataError that names the pictures that hold NaN or infinity."""
    wrong = ~np.isfinite(array)
    if wrong.any():
        each = wrong.reshape(len(array), -1).any(axis=1) if array.ndim > 2 else wrong
        places = np.flatnonzero(each)
        kind = "NaN" if np.isnan(array).any() else "infinity"
        shown = ", ".join(map(str, places[:5]))
        raise DataError(
            f"{len(places)} of {len(each)} pictures in {what} hold {kind} (numbers {shown}"
            f"{', ...' if len(places) > 5 else ''}): leave them out, or np.nan_to_num(X)"
        )


def list_pixels(items: Sequence[Any]) -> list[Bytes]:
    """The pictures of a list, arrays or Pillow's, each as (H, W, C) uint8, C 1 or 3, in its own size."""
    deep = any(_is_deep(item) for item in items)
    return [_single_pixels(item, place, deep) for place, item in enumerate(items)]


def _is_deep(item: Any) -> bool:
    """Whether an array uses its 16 bits: then darker ones beside it do, too."""
    return isinstance(item, np.ndarray) and item.dtype == np.uint16 and bool(item.size) and item.max() > 255


def _single_pixels(item: Any, place: int, deep: bool) -> Bytes:
    if isinstance(item, np.ndarray):
        what = f"picture {place} of X"
        pixels = item[..., None] if item.ndim == 2 else item
        if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3):
            hint = _shape_hint(pixels[None]).replace("X.transpose(0, 2, 3, 1)", "picture.transpose(1, 2, 0)")
            raise ShapeError(
                f"{what} has the shape {item.shape}; a picture is (H, W), (H, W, 1) or (H, W, 3){hint}"
            )
        return np.asarray(to_bytes(pixels[None], what, deep)[0])
    return _pillow_pixels(item, place)


def _pillow_pixels(image: Any, place: int) -> Bytes:
    """As files are read: turned upright, transparency on white, any mode."""
    from PIL import ImageOps

    from residua.data.pictures.decoding import read_picture

    upright = image
    with contextlib.suppress(Exception):  # metadata that cannot be read say nothing
        upright = ImageOps.exif_transpose(image) or image
    try:
        stream = io.BytesIO()
        plain = upright.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
        upright.save(stream, "PNG" if plain else "TIFF", **({"compress_level": 1} if plain else {}))
        channels = 1 if upright.mode in ("1", "L", "LA", "I;16", "I", "F") else 3
        pixels = read_picture(stream.getvalue(), upright.height, upright.width, channels)
        return np.asarray(pixels)
    except PictureError as error:
        raise PictureError(f"picture {place} of X: {error}") from None
    except Exception as error:  # Pillow has no kind of its own
        raise PictureError(f"picture {place} of X cannot be read: {error}") from None
