"""Shapes of one picture or one row of features, and the errors where a layer cannot take them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from residua.errors import ShapeError

Shape = tuple[int, ...]


class Window(Protocol):
    """A layer that moves a square window over pictures; all three in pixels."""

    @property
    def kernel(self) -> int:
        """Height and width of the window."""

    @property
    def stride(self) -> int:
        """From one window to the next."""

    @property
    def padding(self) -> int:
        """Zeros around the picture."""


def need_shape(layer: object, shape: Shape, wanted: str, fits: bool) -> None:
    """Raise a ShapeError that says what the layer takes, unless it fits."""
    if not fits:
        raise ShapeError(f"{type(layer).__name__} needs {wanted}; it was given {shape}")


def need_pictures(layer: object, shape: Shape, channels: int | None = None) -> None:
    """Raise a ShapeError unless the shape is (H, W, C), with so many channels where they are given."""
    fits = len(shape) == 3 and channels in (None, shape[2])
    need_shape(layer, shape, f"pictures (H, W, {'C' if channels is None else channels})", fits)


def window_counts(layer: Window, shape: Shape) -> tuple[int, int]:
    """How many windows lie whole in a picture (H, W, C) with its padding: below and beside one another.

    Raises ShapeError where there is none.
    """
    least = layer.kernel - 2 * layer.padding
    need_shape(layer, shape, f"pictures of at least {least} pixels", min(shape[:2]) >= least)
    height, width = ((side + 2 * layer.padding - layer.kernel) // layer.stride + 1 for side in shape[:2])
    return height, width


@contextmanager
def within(name: str) -> Iterator[None]:
    """Put the name of an inner layer before the path of a ShapeError that comes out of it."""
    try:
        yield
    except ShapeError as error:
        raise error.within(name) from None
