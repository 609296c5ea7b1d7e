"""What a picture file says of itself before its pixels are decoded: its size as displayed, and its mode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from residua.data.pictures.content import read_bytes
from residua.data.pictures.decoding import stored_orientation, use_picture

if TYPE_CHECKING:
    from PIL import Image as PillowImage

Header = tuple[tuple[int, int], str]


def read_header(path: Path) -> Header:
    """Width and height in pixels, turned as the picture is displayed, and Pillow's name of its mode.

    Raises PictureError.
    """

    def look(image: PillowImage.Image) -> Header:
        width, height = image.size
        if stored_orientation(image, []) >= 5:  # a quarter turn
            width, height = height, width
        return (width, height), image.mode

    return use_picture(read_bytes(path), str(path), look, [])
