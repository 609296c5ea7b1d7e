"""Fixtures that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from residua.engines.numpy_engine import NumpyEngine


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small products gain nothing from threads, and lose much where other processes want the cores."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def engine():
    return NumpyEngine()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def data_dir():
    """The folder of the real data sets; tests that need it are skipped where there is none."""
    folder = os.environ.get("RESIDUA_DATA")
    if not folder:
        pytest.skip("RESIDUA_DATA does not name a folder with real data")
    return Path(folder)


@pytest.fixture(scope="session")
def cifar_batch(data_dir):
    """128 training pictures of CIFAR-10, (128, 32, 32, 3) uint8, and their labels."""
    unpickle = pytest.importorskip("residua.files.unpickle", reason="needs the reader of pickles")
    file = data_dir / "cifar-10-batches-py" / "data_batch_1"
    if not file.exists():
        pytest.skip(f"{file.name} of CIFAR-10 is not in RESIDUA_DATA")
    content = unpickle.load_plain(file.read_bytes(), name=file.name)
    key = b"data" if b"data" in content else "data"
    labels = b"labels" if b"labels" in content else "labels"
    pictures = np.asarray(content[key])[:128].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pictures), np.asarray(content[labels][:128])
