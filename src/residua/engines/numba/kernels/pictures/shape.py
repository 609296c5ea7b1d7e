"""A convolution's shape and how its work is cut up, as planning tells it to those who reckon with scratch."""

from __future__ import annotations

from typing import NamedTuple


class Shape(NamedTuple):
    """One convolution's geometry. `c` and `k` are the channels as they lie in memory."""

    batch: int
    height: int
    width: int
    c: int
    k: int
    kernel: int
    stride: int
    padding: int
    out_height: int
    out_width: int

    @property
    def pixels(self) -> int:
        """Of all pictures that come in."""
        return self.batch * self.height * self.width

    @property
    def out_pixels(self) -> int:
        """Of all pictures that go out."""
        return self.batch * self.out_height * self.out_width

    @property
    def window(self) -> int:
        """Numbers under the kernel at one place."""
        return self.kernel * self.kernel * self.c

    @property
    def bordered(self) -> tuple[int, int]:
        """Height and width of a picture with its border."""
        return self.height + 2 * self.padding, self.width + 2 * self.padding


class Cut(NamedTuple):
    """What is worked on at a time: pictures in a group, rows of a strip, tiles of a chunk.

    Rows are those of tiles (Winograd's way) or of outputs (im2col); for many channels a chunk is all tiles,
    and what the last block of a product needs.
    """

    group: int = 1
    strip: int = 1
    chunk: int = 1
