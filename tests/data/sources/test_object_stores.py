"""Data at addresses, by fsspec's own memory and local file systems."""

from __future__ import annotations

import pytest
from data_sets import SPLITS, make, opened_small, rejected_small
from shards import samples, write_tar

from residua.data.sources.object_stores import fetch_data, is_address

fsspec = pytest.importorskip("fsspec")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_shards_in_memory_are_copied_once_and_again_when_they_change(tmp_path, memory):
    shard = write_tar(tmp_path / "s.tar", samples(range(12)))
    memory.pipe("/bucket/shards/000.tar", shard.read_bytes())
    memory.pipe("/bucket/shards/001.tar", write_tar(tmp_path / "t.tar", samples(range(12, 20))).read_bytes())
    said = []
    data = opened_small("memory://bucket/shards", said=said)
    assert sum(len(data.read(split)) for split in SPLITS) == 20
    assert sum("copying 2 files" in line for line in said) == 1
    again = []
    opened_small("memory://bucket/shards", said=again)
    assert not any("copying" in line for line in again)
    memory.pipe("/bucket/shards/000.tar", write_tar(tmp_path / "s.tar", samples(range(30, 40))).read_bytes())
    memory.rm("/bucket/shards/001.tar")
    data = opened_small("memory://bucket/shards", said=again)
    assert sum("copying 1 files" in line for line in again) == 1
    assert sum(len(data.read(split)) for split in SPLITS) == 10


def test_a_folder_of_classes_and_one_file_on_the_local_file_system(tmp_path):
    known = make(tmp_path / "pics", cat=6, dog=6)
    data = opened_small(f"file://{tmp_path}/pics")
    assert sorted(name for split in SPLITS for name in data.read(split).names) == sorted(known)
    shard = write_tar(tmp_path / "one.tar", samples(range(12)))
    assert fetch_data(f"file://{shard}", print).name == "one.tar"


def test_what_cannot_be_read_is_one_line(memory):
    assert "holds nothing" in rejected_small("memory://nowhere/at/all")
    assert "nosuch" in rejected_small("nosuch://bucket/x")
    memory.pipe("/evil/../../up.tar", b"x")
    assert not is_address("C:/pictures")
    assert not is_address("photos")
