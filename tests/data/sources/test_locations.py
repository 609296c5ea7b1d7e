"""Published files are found where they lie, or it is said where to get them."""

from __future__ import annotations

import os
import tarfile

import pytest
from publisher import cifar_archive, cifar_card
from tiny import refused

from residua.data.sources import locations
from residua.data.sources.cards import DATASETS
from residua.data.sources.locations import find_cifar_folder, find_files
from residua.errors import DataError

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw", "mnist/MNIST/raw"])
@pytest.mark.parametrize("end", [".gz", ""])
def test_idx_files_are_found(tmp_path, monkeypatch, folder, end):
    data = tmp_path / "data"
    place = data / folder
    place.mkdir(parents=True)
    for wanted in DATASETS["mnist"].files:
        (place / (wanted.name.removesuffix(".gz") + end)).write_bytes(b"x")
    assert {path.parent for path in find_files(DATASETS["mnist"], str(data)).values()} == {place}
    assert len(find_files(DATASETS["mnist"], str(place))) == 4
    monkeypatch.setenv("RESIDUA_DATA", str(data))
    assert {path.parent for path in find_files(DATASETS["mnist"], None).values()} == {place}
    # --data-dir comes first, but what it lacks is still found elsewhere.
    assert {path.parent for path in find_files(DATASETS["mnist"], str(tmp_path)).values()} == {place}


def test_sets_with_equal_file_names_are_not_mistaken(tmp_path, monkeypatch):
    place = tmp_path / "mnist"
    place.mkdir()
    for wanted in DATASETS["mnist"].files:
        (place / wanted.name).write_bytes(b"x")
    asked = []
    monkeypatch.setattr(locations, "download", lambda card, wanted, folder: asked.append(folder) or folder)
    for data in (tmp_path, place):
        find_files(DATASETS["fashion-mnist"], str(data))
    assert asked == [tmp_path / "fashion-mnist"] * 4 + [place / "fashion-mnist"] * 4


def test_the_data_folder_must_be_a_folder(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(DataError, match="is a file"):
        find_files(DATASETS["mnist"], str(tmp_path / "f"))


def test_an_archive_in_the_data_folder_is_checked_and_unpacked(tmp_path):
    archive = tmp_path / "cifar-10-python.tar.gz"
    card = cifar_card(cifar_archive(archive))
    folder = find_cifar_folder(card, str(tmp_path))
    assert folder == tmp_path / "cifar-10-batches-py"
    assert sorted(os.listdir(tmp_path)) == ["cifar-10-batches-py", "cifar-10-python.tar.gz"]
    archive.unlink()
    assert find_cifar_folder(card, str(tmp_path)) == folder
    assert find_cifar_folder(card, str(folder)) == folder
    (folder / "data_batch_3").unlink()
    with pytest.raises(DataError, match="lacks data_batch_3"):
        find_cifar_folder(card, str(tmp_path))


def test_a_wrong_checksum_stops_before_unpacking(tmp_path):
    cifar_archive(tmp_path / "cifar-10-python.tar.gz")
    with pytest.raises(DataError, match="not the published 0000") as caught:
        find_cifar_folder(cifar_card(), str(tmp_path))
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["cifar-10-python.tar.gz"]


def test_python_batches_are_preferred_binary_ones_accepted(tmp_path):
    binary = cifar_archive(tmp_path / "cifar-10-binary.tar.gz", "cifar-10-batches-bin")
    assert find_cifar_folder(cifar_card(binary=binary), str(tmp_path)).name == "cifar-10-batches-bin"
    python = cifar_archive(tmp_path / "cifar-10-python.tar.gz")
    assert find_cifar_folder(cifar_card(python, binary), str(tmp_path)).name == "cifar-10-batches-py"


def test_offline_and_absent(tmp_path):
    with pytest.raises(DataError, match=r"cifar-10-python.tar.gz \(md5:0000") as caught:
        find_cifar_folder(cifar_card(), str(tmp_path))
    assert "\n" not in str(caught.value)


def member(name, kind=tarfile.REGTYPE, size=0, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


@pytest.mark.parametrize("name", [card.name for card in DATASETS.values() if card.kind == "folder"])
def test_a_data_set_that_is_absent_says_where_to_get_it(tmp_path, capsys, name):
    text = refused(capsys, "train", name, "--data-dir", tmp_path)
    assert DATASETS[name].page in text
    assert str(tmp_path / DATASETS[name].folders[0]) in text
    assert "--data-dir" in text
