"""What every reader of a packed file gives: the names of its entries in order, and their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Container(Protocol):
    """A file that holds many pictures."""

    def names(self) -> Iterator[str]:
        """Entries in the order in which they lie, as paths below the file."""
        ...

    def holds(self, name: str) -> bool:
        """Whether there is an entry of that name."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of an entry. Raises DataError, naming the file and the entry, where they are damaged."""
        ...
