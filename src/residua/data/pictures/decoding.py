"""Picture files decoded: any format and mode, turned, brought to size, as uint8 arrays."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import ConfigError, PictureError

if TYPE_CHECKING:
    from PIL import Image as PillowImage

Box = tuple[int, int, int, int]

# Changes whenever the same file would give other pixels, so that no cache outlives its decoder.
DECODER = 2
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MOST_PIXELS = 100_000_000
MOST_BYTES = 500_000_000


def read_picture(
    source: Path | str | bytes, height: int, width: int, channels: int, box: Box | None = None
) -> NDArray[np.uint8]:
    """Read a JPEG, PNG, WebP, BMP, GIF (first frame), TIFF or PPM as (height, width, channels) uint8.

    source: a path, or the file's bytes. The shorter side is brought to size and the middle kept; the
    EXIF orientation is applied, transparency laid on white, CMYK, palettes and 16 bits converted.
    channels: 1 or 3. box: left, top, right and bottom of the region to read instead of the whole, in
    pixels as stored, the latter two exclusive. Raises PictureError naming the file and the reason, before
    decoding where the picture has more than 100 million pixels.
    """
    if isinstance(source, bytes):
        return decode(source, "the picture", height, width, channels, box)
    return decode(read_bytes(Path(source)), str(source), height, width, channels, box)


def read_bytes(path: Path) -> bytes:
    """The content of a picture file; raises PictureError where there is none to read."""
    try:
        if not path.is_file():
            reason = "it is a folder" if path.is_dir() else "there is no such file"
            raise PictureError(f"Cannot read {path}: {reason}.")
        if path.stat().st_size > MOST_BYTES:
            raise PictureError(f"Cannot read {path}: more than {MOST_BYTES // 10**6} MB. Make it smaller.")
        return path.read_bytes()
    except (OSError, ValueError) as problem:
        if isinstance(problem, PictureError):
            raise
        raise PictureError(f"Cannot read {path}: {getattr(problem, 'strerror', None) or problem}.") from None


def decode(
    data: bytes, name: str, height: int, width: int, channels: int, box: Box | None = None
) -> NDArray[np.uint8]:
    """Decode a picture file's bytes; see `read_picture`. name: for messages."""
    if channels not in (1, 3) or height < 1 or width < 1:
        raise ConfigError(
            f"Pictures have 1 or 3 channels and at least 1x1 pixels, not {height}x{width}x{channels}."
        )
    if not data:
        raise PictureError(f"Cannot read {name}: it is empty (0 bytes).")
    from PIL import Image, UnidentifiedImageError

    with no_pillow_warnings():
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise _too_large(name, f"{image.width}x{image.height} pixels")
                return _fit(image if box is None else _crop(image, box), height, width, channels)
        except PictureError:
            raise
        except Image.DecompressionBombError:
            raise _too_large(name, _size_in_header(data)) from None
        except UnidentifiedImageError:
            start = data[:512].lstrip().lower()
            reason = (
                "it holds a web page" if start.startswith((b"<!doctype html", b"<html")) else "it is damaged"
            )
            raise PictureError(
                f"Cannot read {name}: {reason}, not a JPEG, PNG, WebP, BMP, GIF or TIFF picture."
            ) from None
        except Exception as problem:  # decoders raise a dozen kinds, struct.error and IndexError among them
            reason = " ".join(str(problem).split())[:120] or type(problem).__name__
            raise PictureError(f"Cannot read {name}: {reason}.") from None


def _too_large(name: str, size: str) -> PictureError:
    return PictureError(f"Cannot read {name}: {size}, more than 100 million. Make it smaller.")


def _size_in_header(data: bytes) -> str:
    """The size that a PNG claims; other formats just count as too large."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        w, h = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
        return f"{w}x{h} pixels"
    return "too many pixels"


def fit_pixels(pixels: NDArray[np.uint8], height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Bring one (H, W, 1 or 3) uint8 picture to size and channels as `read_picture` does with a file's."""
    from PIL import Image

    if pixels.shape == (height, width, channels):
        return pixels
    flat = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    return _fit(Image.fromarray(np.ascontiguousarray(flat)), height, width, channels)


def _crop(image: PillowImage.Image, box: Box) -> PillowImage.Image:
    left, top, right, bottom = box
    if not (0 <= left < right <= image.width and 0 <= top < bottom <= image.height):
        size = f"{image.width}x{image.height}"
        raise ValueError(f"the region {left},{top} to {right},{bottom} lies outside its {size} pixels")
    return image.crop(box)


def _fit(image: PillowImage.Image, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Turn, convert, resize and crop an opened picture."""
    from PIL import Image

    orientation = image.getexif().get(0x0112, 1)
    if orientation in (5, 6, 7, 8):  # a quarter turn: the stored picture lies on its side
        height, width = width, height
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size; twice the target keeps the resizing smooth.
    side = 2 * max(height, width)
    if min(image.size) >= 2 * side:
        image.draft(None, (side, side))
    flat = _flatten(image, "L" if channels == 1 else "RGB")
    scale = min(flat.width / width, flat.height / height)
    across, down = scale * width, scale * height
    # A side that is kept whole may come out a rounding error too long, and the box outside the picture.
    left, top = max((flat.width - across) / 2, 0.0), max((flat.height - down) / 2, 0.0)
    box = (left, top, min(left + across, flat.width), min(top + down, flat.height))
    small = flat.resize((width, height), Image.Resampling.BILINEAR, box=box)
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    if turn is not None:
        small = small.transpose(turn)
    pixels = np.asarray(small, dtype=np.uint8)
    return np.ascontiguousarray(pixels.reshape(pixels.shape[0], pixels.shape[1], channels))


def _flatten(image: PillowImage.Image, mode: str) -> PillowImage.Image:
    """Bring any mode to 8 bits of grey ("L") or colour ("RGB"), transparency laid on white."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        pixels = np.asarray(image)
        # 16-bit values span 0..65535 and floating-point ones 0..1; anything else has no agreed white.
        most = 1.0 if pixels.dtype.kind == "f" else 65535
        if not (pixels.min() >= 0 and pixels.max() <= most):
            raise ValueError(f"its values run from {pixels.min()} to {pixels.max()}, not 0 to {most:g}")
        eight = np.rint(pixels * (255 / most)).astype(np.uint8)
        return Image.fromarray(eight).convert(mode)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, clear).convert(mode)
    if mode == "L" and image.mode not in ("L", "1", "RGB"):
        return image.convert("RGB").convert("L")
    return image.convert(mode)


_warnings_lock = threading.Lock()
_warnings_depth = 0
_warnings_filters: Any = None


@contextlib.contextmanager
def no_pillow_warnings() -> Iterator[None]:
    """Keep Pillow's own warnings (size, odd metadata) to ourselves, in any number of threads.

    `warnings.catch_warnings` is not safe in threads, so only the first to enter and the last to leave
    touch the filters.
    """
    global _warnings_depth, _warnings_filters
    with _warnings_lock:
        if _warnings_depth == 0:
            _warnings_filters = warnings.catch_warnings()
            _warnings_filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
        _warnings_depth += 1
    try:
        yield
    finally:
        with _warnings_lock:
            _warnings_depth -= 1
            if _warnings_depth == 0:
                _warnings_filters.__exit__(None, None, None)
