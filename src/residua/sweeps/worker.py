"""One of several workers, a process of its own.

    python -m residua.sweeps.worker FOLDER THREADS

It stops, with a checkpoint, when whoever began it is gone. What goes wrong is one line on standard error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from residua.errors import ResiduaError
from residua.sweeps.folder import Folder, find_plan
from residua.sweeps.work import work


def main(arguments: list[str]) -> int:
    """Take part in the sweep of a folder; the exit code."""
    path, threads = Path(arguments[0]), int(arguments[1])
    try:
        work(Folder(path, find_plan(path)[0]), threads, parent=os.getppid())
    except ResiduaError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
