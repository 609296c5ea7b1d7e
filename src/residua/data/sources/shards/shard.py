"""What lies in an archive of somebody's pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from residua.data.packed.container import Container
from residua.data.packed.opening import open_packed


@dataclass(frozen=True)
class Shard:
    """An archive: its path, the split that its name says, and its pictures and tables of them."""

    path: Path
    split: str | None
    pictures: Sequence[str]
    tables: list[str]

    @property
    def container(self) -> Container:
        """The archive, opened."""
        return open_packed(self.path)
