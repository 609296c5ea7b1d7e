"""Archives are unpacked safely and as a whole."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from publisher import cifar_archive, cifar_card

from residua.data.sources import archives
from residua.data.sources.archives import unpack
from residua.data.sources.locations import find_cifar_folder
from residua.errors import DataError

pytestmark = pytest.mark.usefixtures("own_cache")


def test_an_archive_beside_which_nothing_can_be_written_goes_to_the_cache(tmp_path, monkeypatch):
    archive = tmp_path / "cifar-10-python.tar.gz"
    card = cifar_card(cifar_archive(archive))
    real = archives.tempfile.TemporaryDirectory

    def refuse(*, prefix, dir):
        if Path(dir) == tmp_path:
            raise PermissionError(13, "Permission denied")
        return real(prefix=prefix, dir=dir)

    monkeypatch.setattr(archives.tempfile, "TemporaryDirectory", refuse)
    assert find_cifar_folder(card, str(tmp_path)) == tmp_path / "cache/data/cifar-10-batches-py"


def member(name, kind=tarfile.REGTYPE, size=0, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


@pytest.mark.parametrize(
    "evil",
    [
        member("../outside", size=1),
        member("/tmp/residua-absolute", size=1),
        member("cifar-10-batches-py/link", tarfile.SYMTYPE, link="/etc"),
        member("cifar-10-batches-py/hard", tarfile.LNKTYPE, link="../../outside"),
        member("cifar-10-batches-py/device", tarfile.CHRTYPE),
        member("cifar-10-batches-py/huge", size=0),
    ],
    ids=lambda info: info.name,
)
def test_unsafe_archives_are_refused(tmp_path, monkeypatch, evil):
    folder = tmp_path / "in"
    folder.mkdir()
    archive = folder / "cifar-10-python.tar.gz"
    cifar_archive(archive, extra=[evil])
    if evil.name.endswith("huge"):
        monkeypatch.setattr(archives, "_MOST_UNPACKED_BYTES", 10)
    if evil.name.startswith("/"):
        # tarfile's filter takes the leading slash away: the member lands inside, where it is harmless.
        unpack(archive, "cifar-10-batches-py")
        assert not Path(evil.name).exists()
        return
    with pytest.raises(DataError, match=r"unsafe|refused"):
        unpack(archive, "cifar-10-batches-py")
    assert os.listdir(folder) == ["cifar-10-python.tar.gz"]
    assert not (tmp_path / "outside").exists()


def test_damaged_archives(tmp_path):
    archive = tmp_path / "cifar-10-python.tar.gz"
    cifar_archive(archive)
    whole = archive.read_bytes()
    for content in (b"", b"<html>", whole[: len(whole) // 2]):
        archive.write_bytes(content)
        with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz"):
            unpack(archive, "cifar-10-batches-py")
    archive.write_bytes(whole)
    with pytest.raises(DataError, match="does not hold the folder other"):
        unpack(archive, "other")
    assert os.listdir(tmp_path) == ["cifar-10-python.tar.gz"] or "cache" in os.listdir(tmp_path)
