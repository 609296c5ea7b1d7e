"""Digests by the million: 32 bytes each, equal ones found together."""

from __future__ import annotations

import hashlib

import numpy as np

from residua.data.pictures.digests import Digests


def test_equal_digests_are_found_by_the_first_of_each():
    texts = [b"a", b"b", b"a", b"c", b"b", b"a", b"d"]
    digests = Digests(len(texts))
    rows = np.array([1, 0, 2, 3, 4, 5])
    digests.put(rows, b"".join(hashlib.sha256(texts[row]).digest() for row in rows))
    assert digests.known.tolist() == [True] * 6 + [False]
    assert digests[3] == hashlib.sha256(b"c").hexdigest()
    assert digests[2:4] == [digests[2], digests[3]]
    assert digests.equal(np.arange(6)) == [[0, 2, 5], [1, 4]]
    assert digests.equal(np.array([0, 1, 3])) == []
    assert digests.take(np.array([5, 0])).equal(np.arange(2)) == [[0, 1]]
