"""What X is: files, single pictures, arrays of pictures, or rows of numbers; sorted out, not yet read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from residua.errors import DataError, ShapeError

Kind = Literal["files", "pictures", "array", "rows"]


@dataclass(frozen=True, eq=False)
class Input:
    """X by its kind.

    values: files, a list of text; pictures, a list of arrays (H, W) or (H, W, C) and of Pillow's pictures;
    array, one of three or more dimensions; rows, what scikit-learn is to look at: (N, features).
    """

    kind: Kind
    values: Any

    def __len__(self) -> int:
        shape = getattr(self.values, "shape", None)
        return int(shape[0]) if shape else len(self.values)


def sort_input(X: Any) -> Input:
    """What X is. Raises ShapeError or DataError where it is nothing that can be pictures."""
    if isinstance(X, str | bytes | os.PathLike):
        raise ShapeError(f"X is a list of files, or pictures; for one file alone give [{str(X)!r}]")
    if _is_pillow(X):
        raise ShapeError("X is one picture alone; pictures come in a list: [picture]")
    if hasattr(X, "tocsr"):
        return Input("rows", X)
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return _sort_frame(X)
    if isinstance(X, Iterator):
        X = list(X)
    if isinstance(X, list | tuple) or (getattr(X, "ndim", 0) == 1 and hasattr(X, "__len__")):
        return _sort_list(list(X))
    try:
        array = np.asarray(X)
    except (ValueError, TypeError) as error:
        raise ShapeError(f"X cannot be read as an array: {error}") from None
    column = array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind in "OU" and len(array)
    if column and isinstance(array[0, 0], str | os.PathLike):
        return _sort_list(array[:, 0].tolist())
    if array.ndim < 3:
        return Input("rows", X)
    return Input("array", array)


def _sort_frame(X: Any) -> Input:
    """A table with columns: of one column of files, or of numbers."""
    if len(X.columns) == 1 and len(X) and isinstance(X.iloc[0, 0], str | os.PathLike):
        return _sort_list(list(X.iloc[:, 0]))
    return Input("rows", X)


def _sort_list(items: list[Any]) -> Input:
    if not items:
        return Input("pictures", [])
    named = [isinstance(item, str | os.PathLike | bytes) for item in items]
    if any(named):
        if not all(named):
            place = named.index(False) if named[0] else named.index(True)
            raise DataError(
                f"X mixes names of files with other things: entry {place} is of the kind "
                f"{type(items[place]).__name__}, entry 0 of the kind {type(items[0]).__name__}"
            )
        return Input("files", [os.fsdecode(item) for item in items])
    if any(item is None for item in items):
        raise DataError(f"entry {next(i for i, item in enumerate(items) if item is None)} of X is None")
    pillow = any(map(_is_pillow, items))
    try:
        array = None if pillow else np.asarray(items)
    except (ValueError, TypeError):  # they differ in shape
        array = None
    if array is not None and array.dtype.kind != "O":
        if array.ndim < 3:
            return Input("rows", items)
        single = all(hasattr(item, "__array__") for item in items)
        return Input("pictures", [np.asarray(item) for item in items]) if single else Input("array", array)
    pictures = [item if _is_pillow(item) else _single(item, place) for place, item in enumerate(items)]
    if all(isinstance(item, np.ndarray) and item.ndim == 0 for item in pictures):
        return Input("rows", items)
    arrays = {place: item for place, item in enumerate(pictures) if isinstance(item, np.ndarray)}
    for place, item in arrays.items():
        if item.ndim not in (2, 3):
            lengths = sorted({len(row) for row in arrays.values() if row.ndim == 1})
            more = f" (lengths: {', '.join(map(str, lengths[:5]))})" if len(lengths) > 1 else ""
            raise ShapeError(
                f"picture {place} of X has the shape {item.shape}; a picture is (H, W), (H, W, 1) or "
                f"(H, W, 3){more}"
            )
    return Input("pictures", pictures)


def _single(item: Any, place: int) -> NDArray[Any]:
    try:
        return np.asarray(item)
    except (ValueError, TypeError):
        raise ShapeError(f"picture {place} is no array: its rows differ in length") from None


def _is_pillow(value: Any) -> bool:
    return hasattr(value, "getbands") and hasattr(value, "convert")
