"""The loader of the main case."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from residua.bench import (
    data_loading,
)
from residua.data.batches import Batches
from residua.data.preprocessing import Preprocessing


def test_the_loader_goes_on_from_epoch_to_epoch_in_whole_batches():
    pictures = data_loading.random_pictures(24, 8)
    batches = Batches(pictures, Preprocessing.measure(pictures.images), None, 8, seed=0)
    stream = data_loading.endless_batches(batches)
    found = [next(stream) for _ in range(7)]
    stream.close()
    assert [progress for progress, _ in found] == pytest.approx([n / 3 for n in range(7)])
    assert {len(batch.labels) for _, batch in found} == {8}
    for epoch in (found[:3], found[3:6]):
        assert sorted(np.concatenate([batch.indices for _, batch in epoch])) == list(range(24))


def test_real_pictures_are_taken_where_they_are(monkeypatch, tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    monkeypatch.setenv("RESIDUA_DATA", str(tmp_path))
    real = SimpleNamespace(read=lambda split: data_loading.random_pictures({"train": 300}[split], 32))
    monkeypatch.setattr(data_loading, "open_dataset", lambda options, seed: {"cifar10": real}[options.data])
    pictures, what = data_loading.training_pictures(128)
    assert (what, len(pictures)) == ("CIFAR-10's pictures", 256)


def test_random_pictures_stand_in_for_real_ones(monkeypatch):
    monkeypatch.delenv("RESIDUA_DATA", raising=False)
    monkeypatch.setattr(data_loading, "SPLIT", 300)
    pictures, what = data_loading.training_pictures(128)
    assert what == "random pictures"
    assert pictures.images.shape == (256, 32, 32, 3)
