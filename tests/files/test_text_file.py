"""Text files in any usual encoding."""

from __future__ import annotations

import pytest

from residua.files.text_file import decode_text

TEXT = "Kätzchen,Hund\r\nMäuse,1\r\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"],
)
def test_encodings(encoding):
    text, read_as = decode_text(TEXT.encode(encoding))
    assert text == TEXT
    assert (read_as == "cp1252") == (encoding == "cp1252")


def test_marks_of_big_endian_files_and_none_at_all():
    assert decode_text(b"\xfe\xff" + TEXT.encode("utf-16-be"))[0] == TEXT
    assert decode_text(b"") == ("", "utf-8")
    assert decode_text(b"a") == ("a", "utf-8")


@pytest.mark.parametrize("content", [b"\x81\x8d", b"\xff\xfea", b"a\0\xffb"])
def test_what_is_no_text(content):
    with pytest.raises(ValueError, match="codec"):
        decode_text(content)
