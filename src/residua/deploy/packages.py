"""Packages of extras: which are missing, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from residua.errors import ConfigError


def missing_packages(names: Sequence[str]) -> list[str]:
    """Which of them are not installed."""
    return [name for name in names if find_spec(name) is None]


def require_packages(what: str, names: Sequence[str], extra: str) -> None:
    """Raise ConfigError where a package is missing that `what` takes, and that the extra installs."""
    if absent := missing_packages(names):
        are = "is" if len(absent) == 1 else "are"
        raise ConfigError(
            f"{what} takes {' and '.join(absent)}, which {are} not installed: pip install 'residua[{extra}]'"
        )
