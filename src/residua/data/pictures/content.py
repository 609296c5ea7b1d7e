"""The bytes of a picture: of a file, or of an entry of a packed one."""

from __future__ import annotations

from pathlib import Path

from residua.data.packed.limits import MOST_BYTES
from residua.data.packed.opening import packed_bytes
from residua.errors import DataError, PictureError
from residua.files.regular import what_it_is


def read_bytes(path: Path) -> bytes:
    """The content of a picture file, or of a picture in a packed one (photos.zip/cats/1.jpg).

    Raises PictureError where there is none to read.
    """
    try:
        if reason := what_it_is(path):
            if (content := packed_bytes(path)) is not None:
                return content
            raise PictureError(f"Cannot read {path}: {reason}.")
        if path.stat().st_size > MOST_BYTES:
            raise PictureError(f"Cannot read {path}: more than {MOST_BYTES // 10**6} MB. Make it smaller.")
        return path.read_bytes()
    except PictureError:
        raise
    except DataError as problem:
        raise PictureError(f"Cannot read {path}: {problem}") from None
    except (OSError, ValueError) as problem:
        raise PictureError(f"Cannot read {path}: {getattr(problem, 'strerror', None) or problem}.") from None
