"""Texts by the million, such as names: their letters in one buffer, instead of an object each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class Texts(Sequence[str]):
    """Texts that are made when they are asked for. prefix: what all begin with."""

    def __init__(self, texts: Iterable[str] = (), prefix: str = "") -> None:
        letters, ends = bytearray(), array("q", [0])
        for text in texts:
            letters += text.encode(errors="surrogatepass")
            ends.append(len(letters))
        self._letters, self._prefix = bytes(letters), prefix
        self._ends: Rows = np.frombuffer(ends, np.int64)
        self._rows: Rows | None = None

    def take(self, rows: Rows) -> Texts:
        """Those in these rows, of the same buffer."""
        return self._like(self._prefix, rows if self._rows is None else self._rows[rows])

    def below(self, prefix: str) -> Texts:
        """The same texts with something before each, of the same buffer."""
        return self._like(prefix + self._prefix, self._rows)

    def _like(self, prefix: str, rows: Rows | None) -> Texts:
        other = Texts.__new__(Texts)
        other._letters, other._ends, other._prefix, other._rows = self._letters, self._ends, prefix, rows
        return other

    def __len__(self) -> int:
        return len(self._ends) - 1 if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Texts: ...

    def __getitem__(self, index: int | slice) -> str | Texts:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        row = range(len(self))[index] if self._rows is None else self._rows[index]
        return self._prefix + self._letters[self._ends[row] : self._ends[row + 1]].decode(
            errors="surrogatepass"
        )

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(map(str.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]


class Paths(Sequence[Path]):
    """Paths that are made of `Texts` when they are asked for."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts

    @overload
    def __getitem__(self, index: int) -> Path: ...

    @overload
    def __getitem__(self, index: slice) -> Paths: ...

    def __getitem__(self, index: int | slice) -> Path | Paths:
        if isinstance(index, slice):
            return Paths(self.texts[index])
        return Path(self.texts[index])

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Rows) -> Paths:
        """Those in these rows."""
        return Paths(self.texts.take(rows))


def take_texts(texts: Sequence[str], rows: Rows) -> Sequence[str]:
    """Those of the texts in these rows."""
    return texts.take(rows) if isinstance(texts, Texts) else tuple(texts[row] for row in rows.tolist())


class Places:
    """Where entries lie in a packed file, by name: a few numbers each."""

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._numbers = array("q")
        self.names = Texts()

    def add(self, name: str, offset: int, size: int) -> None:
        """One more entry."""
        self._letters.append(name)
        self._numbers.extend((hash(name), offset, size))

    def finish(self) -> str | None:
        """No more are to come; a name that occurs twice, if there is one."""
        self.names = Texts(self._letters)
        numbers = np.frombuffer(self._numbers, np.int64).reshape(-1, 3)
        self._order = np.argsort(numbers[:, 0], kind="stable").astype(np.int32)
        self._hashes = numbers[self._order, 0]
        self._where = np.array(numbers[:, 1:])
        same = np.flatnonzero(self._hashes[1:] == self._hashes[:-1]).tolist()
        self._letters, self._numbers = [], array("q")
        seen: set[str] = set()
        for row in self._order[sorted({place + step for place in same for step in (0, 1)})].tolist():
            name: str = self.names[row]
            if name in seen:
                return name
            seen.add(name)
        return None

    def __len__(self) -> int:
        return len(self._letters) or len(self.names)

    def find(self, name: str) -> tuple[int, int] | None:
        """Offset and size of an entry; None where there is none of that name."""
        key = hash(name)
        place = int(np.searchsorted(self._hashes, key))
        while place < len(self._hashes) and self._hashes[place] == key:
            row = int(self._order[place])
            if self.names[row] == name:
                offset, size = self._where[row].tolist()
                return offset, size
            place += 1
        return None
