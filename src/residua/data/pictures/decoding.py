"""Picture files decoded: any format and mode, turned, brought to size, as uint8 arrays."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.color import finish, flatten
from residua.data.pictures.content import read_bytes
from residua.data.pictures.jpeg_end import with_end
from residua.data.pictures.kinds import PAGE, Kind, is_read, recognise
from residua.data.pictures.metadata import (
    TURNS,
    claims_too_much,
    exif_orientation,
    least_tiff_bytes,
    raw_profile,
    without_metadata,
    xmp_orientation,
)
from residua.data.pictures.notes import FRAMES, METADATA, NO_END
from residua.errors import ConfigError, PictureError

if TYPE_CHECKING:
    from PIL import Image as PillowImage

Box = tuple[int, int, int, int]

# Changes whenever the same file would give other pixels, so that no cache outlives its decoder.
DECODER = 3
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000", "ICO", "TGA")
MOST_PIXELS = 100_000_000
# Whose decoders turn pictures by themselves: what their metadata tell has been done.
_TURNED = ("TIFF", "HEIF")
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF", "TIFF")  # MPO's other frames are smaller ones of the same

T = TypeVar("T")


def read_picture(
    source: Path | str | bytes,
    height: int,
    width: int,
    channels: int,
    box: Box | None = None,
    notes: list[str] | None = None,
) -> NDArray[np.uint8]:
    """Read a picture file as (height, width, channels) uint8: JPEG, PNG, WebP, AVIF, TIFF, GIF and others.

    source: a path, or the file's bytes. The shorter side is brought to size and the middle kept; of several
    frames the first is taken; the orientation is applied, transparency laid on white, colours brought to
    sRGB by the profile that comes with them, CMYK, palettes and more than 8 bits converted.
    channels: 1 or 3. box: left, top, right and bottom of the region to read instead of the whole, in
    pixels as stored, the latter two exclusive. notes: hears what is odd about a picture that is used all
    the same (see `notes`). Raises PictureError naming the file and the reason, before decoding where the
    picture has more than 100 million pixels.
    """
    if isinstance(source, bytes):
        return decode(source, "the picture", (height, width, channels), box, notes)
    return decode(read_bytes(Path(source)), str(source), (height, width, channels), box, notes)


def decode(
    data: bytes,
    name: str,
    size: tuple[int, int, int],
    box: Box | None = None,
    notes: list[str] | None = None,
) -> NDArray[np.uint8]:
    """Decode a picture file's bytes; see `read_picture`.

    name: for messages. size: height, width, channels.
    """
    height, width, channels = size
    if channels not in (1, 3) or height < 1 or width < 1:
        raise ConfigError(
            f"Pictures have 1 or 3 channels and at least 1x1 pixels, not {height}x{width}x{channels}."
        )
    said: list[str] = []

    def fit(image: PillowImage.Image) -> NDArray[np.uint8]:
        return _fit(image, size, box, said)

    pixels = use_picture(data, name, fit, said)
    if notes is not None:
        notes += dict.fromkeys(said)
    return pixels


def use_picture(data: bytes, name: str, use: Callable[[PillowImage.Image], T], notes: list[str]) -> T:
    """Open a picture file's bytes and `use` it; where metadata stand in the way, without them.

    name: for messages. notes: hears of metadata that were passed over. Raises PictureError as
    `read_picture`.
    """
    if not data:
        raise PictureError(f"Cannot read {name}: it is empty (0 bytes).")
    suffix = Path(name).suffix.lower() if len(name) < 4096 else ""
    kind = recognise(data, suffix)
    if kind is not None and not is_read(kind):
        advice = f"; {kind.advice('it')}" if kind.todo else ", not a picture"
        raise PictureError(f"Cannot read {name}: it {'holds' if kind is PAGE else 'is'} {kind.one}{advice}.")
    formats = FORMATS if kind is None else (kind.pillow,)
    with no_pillow_warnings():
        try:
            return _use(data, formats, name, use)
        except PictureError:
            raise
        except Exception as problem:  # decoders raise a dozen kinds, struct.error and IndexError among them
            for keep_exif in (True, False):
                with contextlib.suppress(Exception):
                    bare = without_metadata(data, keep_exif=keep_exif)
                    if bare is not None and bare != data:
                        result = _use(bare, formats, name, use)
                        notes.append(METADATA)
                        return result
            with contextlib.suppress(Exception):
                if "truncated" in str(problem) and (ended := with_end(data)) is not None:
                    result = _use(ended, formats, name, use)
                    notes.append(NO_END)
                    return result
            raise _refusal(name, problem, kind) from None


def _use(data: bytes, formats: tuple[str, ...], name: str, use: Callable[[PillowImage.Image], T]) -> T:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=formats) as image:
            size = f"{image.width}x{image.height} pixels"
            if image.width * image.height > MOST_PIXELS:
                raise _too_large(name, size)
            if image.format == "TIFF" and len(data) < least_tiff_bytes(image):
                raise ValueError(f"image file is truncated ({size} are claimed)")
            if claims_too_much(image, len(data)):
                raise ValueError(f"it claims {size} in {len(data):,} bytes; save it anew, smaller")
            return use(image)
    except Image.DecompressionBombError:
        raise _too_large(name, _size_in_header(data)) from None


def _refusal(name: str, problem: Exception, kind: Kind | None) -> PictureError:
    from PIL import UnidentifiedImageError

    if not isinstance(problem, UnidentifiedImageError):
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
    elif kind is not None:
        # Some have pixels of a kind that no reader takes, such as colours of 32 bits each.
        reason = f"it is {kind.one} that is damaged, or has pixels of a rare kind; save it as 8-bit PNG"
    else:
        reason = "it is damaged, or no picture: its first bytes are those of no known format"
    return PictureError(f"Cannot read {name}: {reason}.")


def stored_orientation(image: PillowImage.Image, notes: list[str]) -> int:
    """How an opened picture's pixels lie, 1 to 8 as in EXIF; 1 where its decoder turns them by itself.

    notes: hears of metadata that cannot be read.
    """
    if image.format in _TURNED:
        return 1
    block = image.info.get("exif")
    if block is None and isinstance(profile := image.info.get("Raw profile type exif"), str):
        block = raw_profile(profile)
        if block is None:
            notes.append(METADATA)
    if isinstance(block, bytes):
        orientation = exif_orientation(block)
        if orientation is None:
            notes.append(METADATA)
        elif orientation != 1 or image.format == "AVIF":
            return orientation
    if image.format == "AVIF":  # turned by what its container says, which Pillow puts into EXIF
        return 1
    xmp = image.info.get("xmp", image.info.get("XML:com.adobe.xmp", b""))
    return xmp_orientation(xmp) if isinstance(xmp, bytes | str) else 1


def _too_large(name: str, size: str) -> PictureError:
    return PictureError(f"Cannot read {name}: {size}, more than 100 million. Make it smaller.")


def _size_in_header(data: bytes) -> str:
    """The size that a PNG claims; other formats just count as too large."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        return f"{int.from_bytes(data[16:20], 'big')}x{int.from_bytes(data[20:24], 'big')} pixels"
    return "too many pixels"


def fit_pixels(pixels: NDArray[np.uint8], height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Bring one (H, W, 1 or 3) uint8 picture to size and channels as `read_picture` does with a file's."""
    from PIL import Image

    if pixels.shape == (height, width, channels):
        return pixels
    flat = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    return _fit(Image.fromarray(np.ascontiguousarray(flat)), (height, width, channels), None, [])


def _crop(image: PillowImage.Image, box: Box, orientation: int) -> PillowImage.Image:
    """The region of a picture; orientation: of the stored pixels, where the decoder has turned them."""
    width, height = (image.width, image.height) if orientation < 5 else (image.height, image.width)
    left, top, right, bottom = box
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        size = f"{width}x{height}"
        raise ValueError(f"the region {left},{top} to {right},{bottom} lies outside its {size} pixels")
    if orientation in (2, 3, 7, 8):  # mirrored left to right, as seen from the stored pixels
        left, right = width - right, width - left
    if orientation in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return image.crop((left, top, right, bottom) if orientation < 5 else (top, left, bottom, right))


def _fit(
    image: PillowImage.Image, size: tuple[int, int, int], box: Box | None, notes: list[str]
) -> NDArray[np.uint8]:
    """Turn, convert, resize and crop an opened picture."""
    from PIL import Image

    height, width, channels = size
    turned_by_decoder = 1
    if box is not None and image.format == "TIFF":
        tags: Any = getattr(image, "tag_v2", {})
        turned_by_decoder = tags.get(0x0112, 1) if tags.get(0x0112) in range(1, 9) else 1
    if image.format in _ANIMATED and getattr(image, "is_animated", False):
        notes.append(FRAMES)
    if image.format == "PNG":
        image.load()  # what lies behind the pixels may tell how they lie
    orientation = stored_orientation(image, notes)
    if box is not None:
        image = _crop(image, box, turned_by_decoder)
    if orientation in (5, 6, 7, 8):  # a quarter turn: the stored picture lies on its side
        height, width = width, height
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size; twice the target keeps the resizing smooth.
    side = 2 * max(height, width)
    if image.format in ("JPEG", "MPO") and min(image.size) >= 2 * side:
        image.draft(None, (side, side))
    image.load()
    mode = "L" if channels == 1 else "RGB"
    flat, transform = flatten(image, mode, notes)
    scale = min(flat.width / width, flat.height / height)
    across, down = scale * width, scale * height
    # A side that is kept whole may come out a rounding error too long, and the box outside the picture.
    left, top = max((flat.width - across) / 2, 0.0), max((flat.height - down) / 2, 0.0)
    window = (left, top, min(left + across, flat.width), min(top + down, flat.height))
    small = finish(flat.resize((width, height), Image.Resampling.BILINEAR, box=window), transform, mode)
    turn = TURNS.get(orientation)
    small = small if turn is None else small.transpose(Image.Transpose[turn])
    return np.array(small, dtype=np.uint8).reshape(small.height, small.width, channels)


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
