"""Names by the million: letters in one buffer, entries found by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from residua.data.packed import texts
from residua.data.packed.texts import Paths, Places, Texts

NAMES = ["a.png", "", "ü/ß.jpg", "broken\udc80name", "a.png", "x" * 300]


def test_texts_are_what_they_were_made_of():
    every = Texts(NAMES)
    assert every == NAMES
    assert list(every) == NAMES
    assert every != NAMES[:-1]
    assert every[-1] == NAMES[-1]
    assert every[1:4] == NAMES[1:4]
    chosen = every.take(np.array([4, 2])).below("/photos/")
    assert chosen == ["/photos/a.png", "/photos/ü/ß.jpg"]
    assert chosen.take(np.array([1])) == ["/photos/ü/ß.jpg"]
    assert Paths(chosen)[0] == Path("/photos/a.png")
    assert list(Paths(chosen).take(np.array([1]))) == [Path("/photos/ü/ß.jpg")]
    assert Texts() == []


def test_entries_are_found_by_name_also_where_hashes_meet(monkeypatch):
    for hashed in (hash, lambda name: len(name)):
        monkeypatch.setattr(texts, "hash", hashed, raising=False)
        places = Places()
        for number, name in enumerate(["b", "a", "ccc", "d"]):
            places.add(name, 10 * number, number)
        assert places.finish() is None
        assert [places.find(name) for name in ("a", "ccc", "d", "e")] == [(10, 1), (20, 2), (30, 3), None]
        assert places.names == ["b", "a", "ccc", "d"]
    twice = Places()
    for name in ("b", "a", "b"):
        twice.add(name, 0, 0)
    assert twice.finish() == "b"
