"""Several processes that read one data set: each file by one of them, and all pictures for all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from shards import folders, samples, write_parquet, write_tar

from residua.config import DataOptions
from residua.data import Preprocessing, open_dataset
from residua.data.batches import Batches
from residua.data.packed import opening
from residua.data.pictures.decoding_together import _Disk
from residua.data.pictures.readers import Alone, check_alike
from residua.data.pictures.spread import is_spread
from residua.data.seen_pictures import SeenPictures
from residua.errors import DataError

pytestmark = pytest.mark.usefixtures("own_cache")
_map = _Disk._map
HERE = threading.local()  # the rank of a thread that stands for a process


class AgreedError(DataError):
    """What all have heard of."""


class Table:
    """Where threads that stand for processes meet."""

    def __init__(self, size):
        self.size, self.barrier = size, threading.Barrier(size)
        self.said, self.served, self.fetched = [b""] * size, [[] for _ in range(size)], 0


class Thread:
    """One of them, as `Readers`."""

    def __init__(self, table, rank, disks):
        self.table, self.rank, self.size, self.disks = table, rank, table.size, disks

    def tell(self, own):
        every = self.exchange(b"+" + own)
        failed = next((rank for rank, text in enumerate(every) if not text.startswith(b"+")), None)
        if failed is not None:
            raise AgreedError(f"rank {failed}: {every[failed].decode()}")
        return [text[1:] for text in every]

    def exchange(self, own):
        self.table.said[self.rank] = own
        self.table.barrier.wait(20)
        every = list(self.table.said)
        self.table.barrier.wait(20)
        return every

    def serve(self, images):
        self.table.served[self.rank].append(images)
        return len(self.table.served[self.rank]) - 1

    def fetch(self, rank, number, rows):
        assert self.disks[rank] != self.disks[self.rank] or not isinstance(
            self.table.served[rank][number], np.memmap
        )
        self.table.fetched += len(rows)
        return self.table.served[rank][number][rows]


def opened(folder, readers, caches):
    """What a process gets: batches, numbers of the preprocessing, what is remembered, the fingerprint."""
    HERE.rank, HERE.cache = readers.rank, caches[readers.rank]
    try:
        data = open_dataset(
            DataOptions(data=str(folder), size=4),
            0,
            say=HERE.__dict__.setdefault("said", []).append,
            readers=readers,
        )
        train, validation = data.read("train"), data.read("validation")
        preprocessing = Preprocessing.measure(train.images)
        seen = SeenPictures.of(train.images, validation.images)
        made = [
            (b.images.tobytes(), b.labels.tolist()) for b in Batches(train, preprocessing, batch=5, seed=3)
        ]
        rest = [b.images.tobytes() for b in Batches(validation, preprocessing, batch=4)]
        kept = is_spread(train.images)
        return made, rest, preprocessing, seen.to_dict(), train.names, data.fingerprint("train"), kept
    except AgreedError:
        raise
    except DataError as error:
        readers.exchange(str(error).encode())
        raise
    except BaseException:
        readers.table.barrier.abort()
        raise


def together(folder, disks, tmp_path, monkeypatch, own=None):
    """The same of every process, what each has opened, and pictures fetched."""
    table = Table(len(disks))
    caches = [tmp_path / f"cache{disk}" for disk in (own or disks)]
    counted = []

    def counting(kind):
        def make(path):
            counted.append((HERE.rank, Path(path).name))
            return kind(path)

        return make

    opening._open.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(
            opening, "READERS", {ending: counting(kind) for ending, kind in opening.READERS.items()}
        )
        patch.setattr("residua.data.picture_folder.user_cache", lambda: HERE.cache)
        # Hashing and decoding go on in threads of this thread's own: their rank is told to them.
        patch.setattr("residua.data.pictures.cache.ThreadPoolExecutor", Ranked)
        readers = [Thread(table, rank, disks) for rank in range(len(disks))]
        with ThreadPoolExecutor(len(disks)) as pool:
            results = list(pool.map(lambda one: opened(folder, one, caches), readers))
    return results, counted, table.fetched


def Ranked(workers):
    """A pool whose threads know for which process they work."""
    rank = HERE.rank

    def begin():
        HERE.rank = rank

    return ThreadPoolExecutor(workers, initializer=begin)


def write(folder, kind, shards=4):
    for number in range(shards):
        numbers = range(10 * number, 10 * number + 10)
        if kind == "tar":
            write_tar(folder / f"train-{number}.tar", samples(numbers))
        else:
            write_parquet(folder / f"train-{number}.parquet", numbers)
    return folder


@pytest.mark.parametrize("kind", ["tar", "parquet"])
@pytest.mark.parametrize("disks", [(0, 0), (0, 1), (0, 0, 2, 2), (0, 1, 2, 3)])
def test_the_batches_are_those_of_one_process_and_each_shard_is_read_by_one(
    kind, disks, tmp_path, monkeypatch
):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    folder = write(tmp_path / "shards", kind)
    (alone,), _, _ = together(folder, (0,), tmp_path / "alone", monkeypatch)
    results, counted, fetched = together(folder, disks, tmp_path, monkeypatch)
    for result in results:
        assert result[:-1] == alone[:-1]
        assert result[-1] == (len(set(disks)) > 1)
    assert sorted(name for _, name in counted) == sorted(path.name for path in folder.iterdir())
    assert {rank for rank, _ in counted} == set(range(len(disks)))
    assert (fetched > 0) == (len(set(disks)) > 1)
    kept = [len(list((tmp_path / f"cache{disk}/pictures").glob("*.npy"))) for disk in set(disks)]
    assert kept == [1] * len(set(disks))
    # Once on a disk, they are decoded no more.
    monkeypatch.setattr(_Disk, "fill", lambda self: self.found or pytest.fail("decoded again"))
    again, _, _ = together(folder, disks, tmp_path, monkeypatch)
    assert again == results


def test_what_one_process_has_decoded_is_used_by_several(tmp_path, monkeypatch):
    folder = write(tmp_path / "shards", "tar")
    (alone,), _, _ = together(folder, (0,), tmp_path, monkeypatch)
    monkeypatch.setattr(_Disk, "fill", lambda self: self.found or pytest.fail("decoded again"))
    results, _, _ = together(folder, (0, 0), tmp_path, monkeypatch)
    assert results == [alone, alone]


@pytest.mark.parametrize("disks", [(0, 0), (0, 1)])
def test_where_nothing_can_be_kept_each_has_its_own_in_memory(disks, tmp_path, monkeypatch):
    folder = write(tmp_path / "shards", "tar")
    (alone,), _, _ = together(folder, (0,), tmp_path / "alone", monkeypatch)
    for disk in set(disks):
        (tmp_path / f"cache{disk}").write_text("no folder")
    results, _, fetched = together(folder, disks, tmp_path, monkeypatch)
    assert [result[:-1] for result in results] == [alone[:-1]] * 2
    assert fetched > 0


def test_unreadable_pictures_are_known_to_all(tmp_path, monkeypatch):
    folder = tmp_path / "shards"
    entries = samples(range(150)) | {"000007.png": b"broken"}
    write_tar(folder / "a.tar", entries)
    write_tar(folder / "b.tar", samples(range(200, 350)))
    (alone,), _, _ = together(folder, (0,), tmp_path / "alone", monkeypatch)
    results, _, _ = together(folder, (0, 1), tmp_path, monkeypatch)
    assert [result[:-1] for result in results] == [alone[:-1]] * 2


def test_one_archive_is_divided_by_pictures(tmp_path, monkeypatch):
    write_tar(tmp_path / "one/photos.tar", samples(range(40)))
    place = tmp_path / "one/photos.tar"
    (alone,), _, _ = together(place, (0,), tmp_path / "alone", monkeypatch)
    results, _, fetched = together(place, (0, 1, 2), tmp_path, monkeypatch)
    assert [result[:-1] for result in results] == [alone[:-1]] * 3
    assert fetched > 0


def test_other_shards_are_told_with_the_rank_that_has_them():
    class Two(Alone):
        size = 2

        def tell(self, own):
            return [own, own.replace(b"512", b"300")]

    check_alike(Two(), "shards", {"the size of a.tar": 40})
    words = "rank 1 finds shards other than rank 0: the size of a.tar is 300 for it and 512 for rank 0; bring"
    with pytest.raises(DataError, match=words):
        check_alike(Two(), "shards", {"the size of a.tar": 512})


def test_a_cache_that_is_not_shared_is_told(tmp_path, monkeypatch):
    folder = write(tmp_path / "shards", "tar")
    (tmp_path / "cache0").mkdir()
    monkeypatch.setattr(_Disk, "_map", lambda self, path: _map(self, tmp_path / "elsewhere" / path.name))
    with pytest.raises(
        DataError, match=r"^rank 1: the file that rank 0 makes in .*/cache1/pictures is not there"
    ):
        together(folder, (0, 0), tmp_path, monkeypatch, own=(0, 1))
    assert not list((tmp_path / "cache0/pictures").iterdir())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "cat/3.png").unlink(), "cat/3.png is not among them"),
        (lambda folder: (folder / "cat/03.png").write_bytes(b"more"), "cat/03.png is among them"),
    ],
)
def test_other_pictures_of_one_process_are_told_with_its_rank(change, told, tmp_path, monkeypatch):
    for place in ("here", "there"):
        for name, content in folders("cat", "dog").items():
            (tmp_path / place / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place / name).write_bytes(content)
    change(tmp_path / "there")
    monkeypatch.setattr(
        "residua.data.opening.fetch_data", lambda name, say: tmp_path / ("here", "there")[HERE.rank]
    )
    with pytest.raises(DataError, match=f"rank 1 finds pictures other than rank 0: {told}; bring the same"):
        together("test://folder", (0, 1), tmp_path, monkeypatch)
