"""JSON from strangers: what Python's parser takes beyond JSON is refused in one line."""

from __future__ import annotations

import pytest

from residua.files.strict_json import parse_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "NaN is no number"),
        ('{"a": [-Infinity]}', "-Infinity is no number"),
        ("1e400", "too large"),
        ("1" * 5000, "4300"),
        ('{"a": 1, "a": 2}', "the key 'a' occurs twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 50_000, "nested too deeply"),
        ("", "Expecting value"),
        (b"\xff\xfe\xfd", "UTF"),
    ],
)
def test_what_is_no_json_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)


def test_json_is_read_as_it_is():
    assert parse_json('{"a": [1, 2.5, null, true, "x\\ud800"], "b": {}}') == {
        "a": [1, 2.5, None, True, "x\ud800"],
        "b": {},
    }
