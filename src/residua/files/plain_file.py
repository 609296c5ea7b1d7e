"""What is looked at before a file is opened: whether its path can be one, and leads to a plain file."""

from __future__ import annotations

import os
from pathlib import Path

from residua.errors import ModelFileError, ResiduaError
from residua.files.regular import require_file


def plain_size(path: Path | str, error: type[ResiduaError] = ModelFileError, hint: str = "") -> int:
    """The size in bytes of a plain file that is there.

    hint: what to do, added where there is no such file. Raises `error` for a path that no system can have
    (a NUL in it, a name too long), an absent file, a folder, and for pipes, sockets and devices, which could
    keep a reader waiting for ever.
    """
    try:
        facts = os.stat(path)
    except ValueError:  # a NUL, or text that is no name in any encoding
        raise error(f"cannot read {str(path)[:200]!r}: no file can have that name") from None
    except OSError as problem:
        after = f".{hint and ' ' + hint}" if isinstance(problem, FileNotFoundError) else ""
        shown = str(path) if len(str(path)) <= 1000 else f"{str(path)[:200]}... ({len(str(path))} letters)"
        raise error(f"cannot read {shown}: {problem.strerror or problem}{after}") from None
    require_file(path, error)
    return facts.st_size
