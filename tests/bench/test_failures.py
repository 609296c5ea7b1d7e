"""A process of a benchmark that has failed."""

from __future__ import annotations

import io

import pytest

from residua.bench.failures import failure


@pytest.mark.parametrize(
    ("errors", "last"),
    [
        ("one\ntwo: it broke\n", "two: it broke"),
        ("one\n\n  \n", "one"),
        ("", "without a word"),
    ],
)
def test_the_last_words_are_told(errors, last):
    assert str(failure("a side", 3, io.StringIO(errors))) == f"a side ended with code 3: {last}"
