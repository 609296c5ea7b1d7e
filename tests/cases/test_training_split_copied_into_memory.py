"""Pictures of a split lie in the mapped file; memory does not grow with them, however they are divided."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest
from strange_pictures import write_twins

from residua.config import DataOptions
from residua.data import Preprocessing, open_dataset
from residua.data.batches import Batches
from residua.data.quality.check import check_dataset

SIDE = 64


@pytest.fixture
def many(tmp_path, quiet_cache, monkeypatch):
    """Two classes of 60 pictures each: three files and links to them."""
    monkeypatch.chdir(tmp_path)
    folder = write_twins(tmp_path / "many", count=3, side=16)
    for kind in ("cat", "dog"):
        for number in range(3, 60):
            os.link(folder / kind / f"{number % 3}.jpg", folder / kind / f"{number}.jpg")
    return folder


def growth(work):
    """What `work` gives, and by how many bytes memory grew most meanwhile."""
    tracemalloc.start()
    result = work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return result, most


@pytest.mark.parametrize("spoilt", [False, True], ids=["all good", "one unreadable"])
@pytest.mark.parametrize("split", [False, True], ids=["held out", "folders"])
def test_reading_a_split_copies_nothing(many, spoilt, split):
    if spoilt:
        (many / "cat" / "3.jpg").unlink()
        (many / "cat" / "3.jpg").write_bytes(b"text")
    if split:
        parts = {"train": range(40), "val": range(40, 50), "test": range(50, 60)}
        for name, numbers in parts.items():
            for kind in ("cat", "dog"):
                (many / name / kind).mkdir(parents=True)
                for number in numbers:
                    os.rename(many / kind / f"{number}.jpg", many / name / kind / f"{number}.jpg")
        for kind in ("cat", "dog"):
            (many / kind).rmdir()
    options = DataOptions(data=str(many), size=SIDE)
    open_dataset(options, 0, say=lambda line: None, most_bad=1.0).read("train")  # decoded now
    data = open_dataset(options, 0, say=lambda line: None, most_bad=1.0)
    train, most = growth(lambda: data.read("train"))
    assert len(train) >= 79 - spoilt
    assert most < len(train) * SIDE * SIDE * 3 / 4

    preprocessing = Preprocessing.measure(train.images)
    batches = Batches(train, preprocessing, batch=4)
    _, most = growth(lambda: [batch.images.sum() for batch in batches])
    assert most < len(train) * SIDE * SIDE * 3
    assert np.array_equal(next(iter(batches)).images, preprocessing.normalize(np.asarray(train.images)[:4]))


def test_check_compares_copies_once(many):
    data = open_dataset(DataOptions(data=str(many), size=SIDE), 0, say=lambda line: None)
    findings, most = growth(lambda: check_dataset(data))
    assert findings.exact.pictures == 120
    assert findings.near is not None
    assert most < 60_000_000
