"""Pictures of any mode as 8 bits of grey or colour in sRGB: ranges, transparency, colour profiles."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.notes import DARK, METADATA, STRETCHED

if TYPE_CHECKING:
    from PIL import Image as PillowImage

Transform = Any  # Pillow's, of littlecms
_SAME = 2  # grey levels that a profile may differ from sRGB before it is applied
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}  # Pillow's modes, and what profiles call them
_TWELVE = 4095


def flatten(
    image: PillowImage.Image, mode: str, notes: list[str]
) -> tuple[PillowImage.Image, Transform | None]:
    """Bring any mode to 8 bits, transparency laid on white; and what brings the colours to sRGB.

    mode: "L" for grey, "RGB" for colour. Returns a picture in that mode where no transform is left to be
    done by `finish`, which is for after the resizing: there are fewer pixels then.
    """
    if image.mode.startswith(("I", "F")) or _is_signed(image):
        return _eight_bits(image, notes).convert(mode), None
    if image.mode == "LAB":
        return _from_lab(image).convert(mode), None
    transform = _to_srgb(image, notes)
    if transform is None:
        return _opaque(image, mode, notes), None
    base = image.mode if image.mode in _SPACES else "RGB"
    return _opaque(image, base, notes), transform


def finish(image: PillowImage.Image, transform: Transform | None, mode: str) -> PillowImage.Image:
    """Apply the transform that `flatten` left, if any."""
    if transform is None:
        return image
    from PIL import ImageCms

    changed = ImageCms.applyTransform(image, transform)
    assert changed is not None
    return changed.convert(mode)


def _opaque(image: PillowImage.Image, mode: str, notes: list[str]) -> PillowImage.Image:
    """Convert to grey, colour or CMYK, transparency laid on white."""
    from PIL import Image

    if image.mode == "La":
        image = image.convert("LA")
    if image.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        try:
            clear = image.convert("RGBA")
        except (ValueError, TypeError, IndexError):  # transparency that does not fit the palette
            if image.mode not in ("P", "L", "RGB", "1"):
                raise
            notes.append(METADATA)
            image.info.pop("transparency", None)
        else:
            white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
            return Image.alpha_composite(white, clear).convert(mode)
    if mode == "L" and image.mode not in ("L", "1", "RGB"):
        return image.convert("RGB").convert("L")
    return image if image.mode == mode else image.convert(mode)  # which copies what it does not change


def _is_signed(image: PillowImage.Image) -> bool:
    """Whether a TIFF has signed 8-bit values, which Pillow takes for unsigned ones."""
    tags = getattr(image, "tag_v2", {})
    return image.mode == "L" and image.format == "TIFF" and tuple(tags.get(339, ())) == (2,)


def _eight_bits(image: PillowImage.Image, notes: list[str]) -> PillowImage.Image:
    """Numbers of more than 8 bits, signed or floating, as grey: by the range that their type has.

    16 bits run from 0 to 65535, 12 from 0 to 4095; floating-point values to 1, or 255 or 65535 where some are
    larger. Negative values and those beyond have no agreed white: from the lowest to the highest of the
    picture. What is no number is black. Raises ValueError where nothing is.
    """
    from PIL import Image

    bits, shown_by, unsigned = _tiff_facts(image)
    pixels = np.asarray(image)
    if _is_signed(image):
        pixels = pixels.view(np.int8)
    elif unsigned and bits == 32 and pixels.dtype == np.int32:
        pixels = pixels.view(np.uint32)
    least, most, all_numbers = _range(pixels)
    if not all_numbers:
        notes.append(STRETCHED)
    low, high = 0.0, _white(pixels, bits, most)
    if least < 0 or most > high:
        low, high = least, max(most, least + 1e-30)
        notes.append(STRETCHED)
    elif high == 65535 and 0 < most <= _TWELVE:
        notes.append(DARK)
    clear = image.info.get("transparency")
    eight = np.empty(pixels.shape, np.uint8)
    for rows in _rows(pixels):
        part = pixels[rows]
        share = np.clip((np.where(np.isfinite(part), part, low) - low) / (high - low), 0, 1)
        if shown_by == 0:  # white is zero
            share = 1 - share
        if isinstance(clear, int):
            share = np.where(part == clear, 1.0, share)
        eight[rows] = np.rint(share * 255)
    return Image.fromarray(eight)


def _rows(pixels: NDArray[Any]) -> Iterator[slice]:
    """Rows of a picture, about a million pixels at a time: large ones need no more memory than they do."""
    step = max(1, (1 << 20) // max(pixels.shape[1], 1))
    for start in range(0, len(pixels), step):
        yield slice(start, start + step)


def _range(pixels: NDArray[Any]) -> tuple[float, float, bool]:
    """The lowest and highest of the values, and whether all are numbers. Raises ValueError where none is."""
    if pixels.dtype.kind != "f":
        return float(pixels.min()), float(pixels.max()), True
    least, most, every = np.inf, -np.inf, True
    for rows in _rows(pixels):
        numbers = pixels[rows][np.isfinite(pixels[rows])]
        every = every and numbers.size == pixels[rows].size
        if numbers.size:
            least, most = min(least, float(numbers.min())), max(most, float(numbers.max()))
    if least > most:
        raise ValueError("none of its values is a number")
    return least, most, every


def _white(pixels: NDArray[Any], bits: int | None, most: float) -> float:
    """The value that is white, if the values keep to it."""
    if pixels.dtype.kind == "f":
        return next((white for white in (1.0, 255.0) if most <= white), 65535.0)
    if pixels.dtype == np.int8:
        return 127.0
    return 4095.0 if bits == 12 else 65535.0


def _tiff_facts(image: PillowImage.Image) -> tuple[int | None, int | None, bool]:
    """Bits per value, what zero is (0 for white), and whether values are unsigned, as a TIFF's tags say."""
    tags = getattr(image, "tag_v2", None)
    if tags is None or image.format != "TIFF":
        return None, None, False
    bits, shown_by = tags.get(258, (None,)), tags.get(262)
    return bits[0], shown_by, tuple(tags.get(339, (1,))) == (1,)


def _from_lab(image: PillowImage.Image) -> PillowImage.Image:
    from PIL import ImageCms

    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    changed = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    assert changed is not None
    return changed


def _to_srgb(image: PillowImage.Image, notes: list[str]) -> Transform | None:
    """What brings a picture's colours to sRGB; None where they are, or where its profile does not fit."""
    profile = image.info.get("icc_profile")
    if not profile:
        return None
    if not isinstance(profile, bytes):
        notes.append(METADATA)
        return None
    transform, broken = _transform(profile, image.mode if image.mode in _SPACES else "RGB")
    if broken:
        notes.append(METADATA)
    return transform


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> tuple[Transform | None, bool]:
    """A transform from a profile to sRGB, None where it would change nothing; and whether it is broken.

    A profile for another kind of pixels says nothing about these, and is not broken.
    """
    from PIL import Image, ImageCms

    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if opened.profile.xcolor_space.strip() != _SPACES[mode]:
            return None, False
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(opened, target, mode, "RGB")
        if mode != "CMYK":
            grid = np.arange(256, dtype=np.uint8)[:, None]
            if mode == "RGB":
                steps = np.linspace(0, 255, 9).astype(np.uint8)
                grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 1, 3)
            colours = Image.fromarray(grid)
            changed = ImageCms.applyTransform(colours, transform)
            difference = np.asarray(changed, int) - np.asarray(colours.convert("RGB"), int)
            if abs(difference).max() <= _SAME:
                return None, False
        return transform, False
    except Exception:  # PyCMSError, and whatever else a broken profile leads to
        return None, True
