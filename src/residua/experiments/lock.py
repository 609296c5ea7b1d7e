"""One process trains a run: two in one folder would write over each other's checkpoints."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from residua.errors import RunError


@contextlib.contextmanager
def only_one(run: Path) -> Iterator[None]:
    """Hold a run's folder while it is trained. The lock ends with the process, however that ends.

    Raises RunError where another process holds it.
    """
    run.parent.mkdir(parents=True, exist_ok=True)
    if os.name != "posix":  # Windows, where nothing is locked
        yield
        return
    import fcntl

    with open(run.with_name(f"{run.name}.lock"), "ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                f"{run} is being trained by another process: let it finish, or choose other --variants, "
                "--seeds or another --output"
            ) from None
        yield
