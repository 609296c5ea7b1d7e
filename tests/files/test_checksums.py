"""Checksums of whole files."""

from __future__ import annotations

import hashlib

from residua.files.checksums import file_sha256


def test_a_file_has_the_checksum_of_its_bytes(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()
