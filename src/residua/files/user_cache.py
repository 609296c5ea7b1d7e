"""The folder of the user's cache that belongs to residua."""

from __future__ import annotations

from pathlib import Path


def user_cache() -> Path:
    """The folder of this user's cache that belongs to residua; it may not exist yet."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("residua", appauthor=False))
