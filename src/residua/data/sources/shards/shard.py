"""What lies in an archive of somebody's pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from residua.data.packed.container import Container
from residua.data.packed.opening import open_packed


@dataclass(frozen=True)
class Shard:
    """An archive: its path, the split that its name says, and its pictures and other entries, in order."""

    path: Path
    split: str | None
    pictures: list[str]
    others: dict[str, None]

    @property
    def container(self) -> Container:
        """The archive, opened."""
        return open_packed(self.path)
