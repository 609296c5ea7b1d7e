"""Files that are no MATLAB files."""

from __future__ import annotations

import published
import pytest

from residua.data.sources.readers.svhn import read_svhn
from residua.errors import DataError

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_files_that_are_no_matlab(tmp_path):
    published.svhn(tmp_path / "svhn")
    path = tmp_path / "svhn" / "train_32x32.mat"
    whole = path.read_bytes()
    hdf5 = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM" + b"\x89HDF" + bytes(600)
    for content in (b"", b"<html>not found</html>", whole[: len(whole) // 2], whole[:200], hdf5):
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            read_svhn(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="Cannot read"):
        read_svhn(tmp_path / "absent.mat")
