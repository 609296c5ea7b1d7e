"""X as the pictures that a network takes: while fitting, and at the size of a model that is there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.classifier.inputs import Input
from residua.classifier.pixels import list_pixels, to_bytes, to_pictures
from residua.classifier.rows import Range, Shape, row_shape, scale_values, value_range
from residua.config.plain import plain
from residua.cores import available_cores
from residua.data.pictures.decoding import fit_pixels, read_picture
from residua.data.preprocessing import Preprocessing
from residua.errors import ConfigError, PictureError, ShapeError

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Fitted:
    """Pictures to learn from, (N, H, W, C); limits: of numbers in rows, what became black and white."""

    images: Bytes
    limits: Range | None = None


def read_to_fit(X: Input, size: Any, shape: Shape | None) -> Fitted:
    """X as pictures of one size: its own, or `size` where they come from files or differ.

    shape: what rows of numbers are, where that was chosen. Rows are (N, features) arrays here. Raises
    ShapeError, DataError, PictureError.
    """
    if X.kind == "rows":
        limits = value_range(X.values)
        pixels = scale_values(X.values, limits)
        return Fitted(pixels.reshape(len(pixels), *row_shape(pixels.shape[1], shape)), limits)
    if X.kind == "files":
        side = _side(size)
        return Fitted(_read_files(X.values, lambda file: read_picture(file, side, side, 3)))
    if X.kind == "array":
        images = to_pictures(X.values)
    else:
        single = list_pixels(X.values)
        if not single:
            raise ShapeError("X holds no pictures")
        images = _stack(single, size)
    if shape is not None and images.shape[1:] != shape:
        raise ShapeError(f"image_shape is {shape}; the pictures in X are {images.shape[1:]}")
    return Fitted(images)


def read_to_answer(X: Input, model: Preprocessing, limits: Range | None) -> Bytes:
    """X as pictures of the model's own size and colours.

    Files and single pictures are brought to them; arrays must have them. limits: those of `Fitted`. Raises
    as `read_to_fit`.
    """
    shape = (*model.stored, model.channels)
    if X.kind == "files":
        return model.cut(_read_files(X.values, model.read))
    if X.kind == "pictures":
        read = [_bring_to_size(picture, model) for picture in list_pixels(X.values)]
        return np.stack(read) if read else np.zeros((0, *shape), np.uint8)
    if X.kind == "rows":
        values = X.values
        if values.shape[1] != np.prod(shape):
            raise ShapeError(
                f"X has {values.shape[1]} features, but the model takes pictures of {_times(shape)}, "
                f"{np.prod(shape)} numbers"
            )
        return (to_bytes(values) if limits is None else scale_values(values, limits)).reshape(-1, *shape)
    array = X.values
    if array.ndim == 3 and array.shape == shape and shape[-1] == 3:
        raise ShapeError(f"X is one picture alone, of shape {array.shape}; pictures come in a list: X[None]")
    if limits is not None and array.ndim in (3, 4) and array[..., None].size == array.size:
        images = array if array.ndim == 4 else array[..., None]
        _check_shape(images, shape, model)
        return scale_values(images, limits)
    images = to_pictures(array)
    if images.shape[1:] == (*model.reading, model.channels):
        images = model.cut(images)
    _check_shape(images, shape, model)
    return images


def _check_shape(images: NDArray[Any], shape: Shape, model: Preprocessing) -> None:
    if images.shape[1:] != shape:
        raise ShapeError(
            f"the model takes pictures of {_times(shape)}; those in X are {_times(images.shape[1:])}: bring "
            "them to size, or give files or a list of pictures, which are"
        )


def _bring_to_size(picture: Bytes, model: Preprocessing) -> Bytes:
    stored = (*model.stored, model.channels)
    if picture.shape == stored:
        return picture
    return model.cut(fit_pixels(picture, *model.reading, model.channels))


def _stack(pictures: Sequence[Bytes], size: Any) -> Bytes:
    """Pictures of one size side by side; of several, all brought to size x size, grey where all are."""
    shapes = {picture.shape for picture in pictures}
    if len(shapes) == 1:
        return np.stack(pictures)
    channels = max(shape[-1] for shape in shapes)
    sizes = {shape[:2] for shape in shapes}
    height, width = sizes.pop() if len(sizes) == 1 else (_side(size), _side(size))
    return np.stack([fit_pixels(picture, height, width, channels) for picture in pictures])


def _read_files(files: Sequence[str], read: Callable[[str], Bytes]) -> Bytes:
    """All files in their order. Raises PictureError that counts and names those that cannot be read."""

    def attempt(file: str) -> Bytes | PictureError:
        try:
            return read(file)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(available_cores()) as pool:
        pictures = list(pool.map(attempt, files))
    errors = [picture for picture in pictures if isinstance(picture, PictureError)]
    if errors:
        more = f" ({len(errors)} of {len(files)} files cannot be read)" if len(files) > 1 else ""
        raise PictureError(f"{errors[0]}{more}")
    return np.stack([picture for picture in pictures if not isinstance(picture, PictureError)])


def _side(size: Any) -> int:
    side = plain(size)
    if type(side) is not int or side < 8:
        raise ConfigError(f"size takes a whole number of at least 8 pixels; it was given {size!r}")
    return side


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
