"""What a page needs to know to make of a picture file what a network takes."""

from __future__ import annotations

from typing import Any

from residua.data.preprocessing import Preprocessing


def describe_preprocessing(shape: Preprocessing) -> dict[str, Any]:
    """Plain JSON types for `pixels/`: sizes as [height, width], scale and shift per channel."""
    scale, shift = shape.scale_and_shift
    return {
        "reading": list(shape.reading),
        "stored": list(shape.stored),
        "seen": [shape.height, shape.width],
        "channels": shape.channels,
        "scale": scale.tolist(),
        "shift": shift.tolist(),
        "order": shape.order,
        "tallFirst": tall_first(),
    }


def tall_first() -> bool:
    """Whether the Pillow at hand begins with the height where much more of it is lost than of the width.

    Since version 13; before, and otherwise, the width comes first. Results differ by one level at most.
    """
    import PIL

    return int(PIL.__version__.partition(".")[0]) >= 13
