"""Packed files: entries read one by one, damage named, hostile ones refused."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest
from shards import folders, png, write_parquet, write_tar, write_zip

from residua.data.packed.opening import is_packed, open_packed, packed_bytes
from residua.data.pictures.content import read_bytes
from residua.data.pictures.files import name_pictures
from residua.errors import DataError, PictureError


@pytest.mark.parametrize("pack", [write_tar, write_zip])
def test_a_path_into_an_archive_names_a_picture(tmp_path, pack):
    path = pack(tmp_path / f"a.{pack.__name__[-3:]}", folders("cat", "dog"))
    assert is_packed(path)
    assert packed_bytes(path / "dog" / "3.png") == png(23)
    assert packed_bytes(path / "dog" / "9.png") is None
    assert packed_bytes(tmp_path / "b.png") is None
    assert name_pictures([path]) == [f"{path}/{name}" for name in folders("cat", "dog")]
    assert name_pictures([tmp_path]) == name_pictures([path])
    with pytest.raises(PictureError, match="Not a directory"):
        read_bytes(path / "dog" / "9.png")


def test_rows_of_parquet_in_any_order(tmp_path):
    pytest.importorskip("pyarrow")
    path = write_parquet(tmp_path / "p.parquet", range(11))
    names = list(open_packed(path).names())
    assert names[7] == "000000007-7.png"
    assert [packed_bytes(path / names[k]) for k in (10, 0, 5, 9)] == [png(k) for k in (10, 0, 5, 9)]
    assert name_pictures([path]) == [f"{path}/{name}" for name in names]


@pytest.mark.parametrize("kind", ["tar", "zip", "parquet"])
def test_a_shard_cut_short_is_named(tmp_path, kind):
    path = tmp_path / f"cut.{kind}"
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        write_parquet(path, range(8))
    else:
        (write_tar if kind == "tar" else write_zip)(path, folders("cat", "dog"))
    whole = path.read_bytes()
    for share in (0.2, 0.5):  # the last half of a small tar is zeros
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(DataError, match="cut short") as caught:
            open_packed(path)
        assert str(path) in str(caught.value)


def test_damage_inside_names_entry_and_archive(tmp_path):
    path = write_zip(tmp_path / "d.zip", {"cat/0.png": bytes(range(256)) * 40})
    content = bytearray(path.read_bytes())
    content[60:90] = b"\0" * 30
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"cat/0.png in .*d.zip is damaged"):
        read_bytes(path / "cat" / "0.png")


@pytest.mark.parametrize("name", ["../up.png", "/etc/shadow.png", "a/../../b.png", "x" * 1001 + ".png"])
@pytest.mark.parametrize("pack", [write_tar, write_zip])
def test_names_that_lead_out_are_refused(tmp_path, pack, name):
    path = pack(tmp_path / f"h.{pack.__name__[-3:]}", {"cat/0.png": png(0), name: png(1)})
    with pytest.raises(DataError, match="leads out of it"):
        open_packed(path)


def test_links_twins_and_packed_tars_are_refused(tmp_path):
    link = tmp_path / "l.tar"
    with tarfile.open(link, "w") as archive:
        member = tarfile.TarInfo("cat/0.png")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(DataError, match="no plain file"):
        open_packed(link)
    twins = tmp_path / "t.tar"
    with tarfile.open(twins, "w") as archive:
        for _ in range(2):
            member = tarfile.TarInfo("0.png")
            archive.addfile(member, io.BytesIO())
    with pytest.raises(DataError, match="twice"):
        open_packed(twins)
    packed = tmp_path / "g.tar"
    with tarfile.open(packed, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("0.png"), io.BytesIO())
    with pytest.raises(DataError, match="packed by gzip"):
        open_packed(packed)


def test_bombs_are_refused_unopened(tmp_path, monkeypatch):
    for module in ("tar_file", "zip_file", "parquet_file"):
        monkeypatch.setattr(f"residua.data.packed.{module}.MOST_BYTES", 1000)
    for pack in (write_tar, write_zip):
        path = pack(tmp_path / f"bomb.{pack.__name__[-3:]}", {"0.png": b"\0" * 1001})
        with pytest.raises(DataError, match=r"0.png in .* is larger than"):
            open_packed(path)
    monkeypatch.setattr("residua.data.packed.limits.MOST_ENTRIES", 3)
    with pytest.raises(DataError, match="divide it into shards"):
        open_packed(write_tar(tmp_path / "many.tar", folders("a")))


def test_a_lying_length_is_found(tmp_path):
    path = write_zip(tmp_path / "lie.zip", {"0.png": b"\0" * 5000})
    content = path.read_bytes()
    place = content.index(b"PK\x01\x02")
    # The table of contents says 100 bytes, and the data unpack to 5,000.
    path.write_bytes(content[: place + 24] + (100).to_bytes(4, "little") + content[place + 28 :])
    with pytest.raises(PictureError, match=r"lie.zip"):
        read_bytes(path / "0.png")
    assert zipfile.is_zipfile(path)
