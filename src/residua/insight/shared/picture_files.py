"""Pictures as files: their bytes, and what they are called."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """A PNG file's bytes of an (H, W, 1 or 3) picture: without loss."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(buffer, "PNG")
    return buffer.getvalue()


def file_name(words: Sequence[str]) -> str:
    """Words as a part of a file's name: letters, digits and dots are kept."""
    cleaned = ["".join(c if c.isalnum() or c in "._" else "-" for c in word).strip("-.") for word in words]
    return "-".join(word[:60] for word in cleaned if word)
