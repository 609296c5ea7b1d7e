"""Training pictures on the device: held there as bytes where they fit, cut out and mirrored there."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = Any

SHARE = 4  # of the device's memory, one part in so many may be pictures that are held
HELD = 2  # data sets at a time


class HeldPictures:
    """The pixels of whole splits on the device, as long as their arrays live.

    most_bytes: that a split may have; more is sent batch by batch. None: a share of the device's memory,
    which a processor does not have, so that there nothing is held.
    """

    def __init__(self, devices: tuple[Any, ...], place: Any, most_bytes: int | None = None) -> None:
        self.most_bytes = _share_of_memory(devices[0]) if most_bytes is None else most_bytes
        self._place = place
        self._held: dict[tuple[Any, ...], tuple[Any, Array]] = {}

    def take(self, pixels: Any, indices: Any) -> tuple[Array, Array]:
        """(M, H, W, C) uint8 and (N,) places in it, of which the pictures are to be taken.

        Where the split is not held the pictures alone, and their numbers.
        """
        if isinstance(pixels, np.ndarray) and len(indices) < len(pixels) and pixels.nbytes <= self.most_bytes:
            return self._on_device(pixels), indices
        return np.asarray(pixels[indices]), np.arange(len(indices))

    def _on_device(self, pixels: Any) -> Array:
        # By where the numbers lie: callers make views of a split anew for every batch.
        key = (pixels.__array_interface__["data"][0], pixels.shape, pixels.strides)
        if key not in self._held:
            while len(self._held) >= HELD:
                self._held.pop(next(iter(self._held)))
            # The array is kept with it: as long as it lives nothing else can lie there.
            self._held[key] = pixels, self._place(pixels)
        return self._held[key][1]


def _share_of_memory(device: Any) -> int:
    facts = device.memory_stats() or {} if device.platform != "cpu" else {}
    return int(facts.get("bytes_limit", 0)) // SHARE


def windows(
    pixels: Array,
    indices: Array,
    down: Array,
    right: Array,
    mirrored: Array,
    size: tuple[int, int],
    scale: Array,
    shift: Array,
) -> Array:
    """Of each picture at `indices` the window of this size at (down, right), (N,) each, normalised.

    What lies outside of the picture is zero. mirrored: (N,) which windows are turned left to right.
    """
    (_, height, width, _), (rows, columns) = pixels.shape, size
    row = down[:, None] + jnp.arange(rows)
    place = jnp.arange(columns)
    column = right[:, None] + jnp.where(mirrored[:, None], columns - 1 - place, place)
    inside = (row[:, :, None] >= 0) & (row[:, :, None] < height)
    inside = inside & (column[:, None, :] >= 0) & (column[:, None, :] < width)
    row, column = jnp.clip(row, 0, height - 1), jnp.clip(column, 0, width - 1)
    found = pixels[indices[:, None, None], row[:, :, None], column[:, None, :]]
    normal = found.astype(scale.dtype) * scale + shift
    return jnp.where(inside[..., None], normal, jnp.zeros((), normal.dtype))


def make_windows(sharding: Any) -> Any:
    """`windows` as a program, its result spread as the sharding says; None for one device."""
    options = {} if sharding is None else {"out_shardings": sharding}
    return jax.jit(windows, static_argnames="size", **options)
