"""The folders of the user: the cache that belongs to residua, and what `~` stands for.

Neither need exist: containers run under users whom nobody knows, without a home.
"""

from __future__ import annotations

import os
from pathlib import Path

# Where no home is known: a place in which nothing is found, and nothing can be made.
NOWHERE = Path(os.devnull) / "no-home-folder"


def user_cache() -> Path:
    """The folder of this user's cache that belongs to residua; it may not exist yet, or be `NOWHERE`."""
    import platformdirs

    try:
        folder = Path(platformdirs.user_cache_dir("residua", appauthor=False))
    except (RuntimeError, KeyError, OSError):  # no home, and a user of that number is not known
        return NOWHERE
    # Read against the folder of the moment, `HOME=.` or `~/.cache` would be another cache in each.
    return folder if folder.is_absolute() else NOWHERE


def kernels_folder() -> Path:
    """Where folders of compiled kernels lie: RESIDUA_KERNEL_CACHE, or a folder of the user's cache."""
    root = os.environ.get("RESIDUA_KERNEL_CACHE")
    return Path(root) if root else user_cache() / "kernels"


def not_kept_in(folder: Path, problem: str) -> str:
    """Behind what is not kept in a folder of the cache: why, and what to do about it."""
    if NOWHERE in folder.parents:
        return ": no home folder is known; XDG_CACHE_HOME can name a folder for such things"
    return f", not in {folder}: {problem}"


def expanded(path: str | Path) -> Path:
    """The path, `~` being the home folder as a shell reads it; as it is where nobody knows that folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
