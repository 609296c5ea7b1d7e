"""Fixtures that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from repeated import draw_outlines, draw_whole, keep_digits, keep_parsers
from shared_kernels import compile_alone, fewer_constants
from threadpoolctl import threadpool_limits
from tiny import TINY, paint_folder

from residua.api import train
from residua.engines import installed
from residua.engines.numpy.engine import NumpyEngine
from residua.files.user_cache import user_cache
from residua.training.progress import Quiet
from residua.training.train import resume_training, start_training

pytest_plugins = ["stub_figures", "tiers", "costs", "browsing", "firefox"]
# Where kernels lie already: tests have caches of their own, and would compile them anew.
os.environ.setdefault("RESIDUA_KERNEL_CACHE", str(user_cache() / "kernels"))
# What JAX compiles for tests runs for milliseconds: half the time to compile it.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
BEGIN = {"start_training": start_training, "resume_training": resume_training}


def pytest_collection_modifyitems(items):
    """What compiles most comes first: of workers side by side none is left with it in the end."""
    items.sort(key=lambda item: "engines/numba" not in item.nodeid)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small products gain nothing from threads, and lose much where other processes want the cores."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def kernels():
    """Workers side by side start no processes to compile for them, and the first tier compiles few."""
    from tiers import State

    with pytest.MonkeyPatch.context() as patch:
        if installed("numba") and not State.everything:
            fewer_constants(patch)
        if "PYTEST_XDIST_WORKER" in os.environ and installed("numba"):
            compile_alone(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """What JAX has compiled for one test serves the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESIDUA_JAX_CACHE", str(tmp_path_factory.getbasetemp() / "jax-programs"))
        yield


@pytest.fixture(scope="session", autouse=True)
def curves_at_the_end():
    """Runs draw their curves once, at the end, and not after every epoch: most of a small training's time."""

    def without(begin):
        return lambda subject, reporter, after_epoch: begin(subject, reporter, lambda run: None)

    with pytest.MonkeyPatch.context() as patch:
        for name in BEGIN:
            patch.setattr(f"residua.training.train.{name}", without(BEGIN[name]))
        yield


@pytest.fixture(scope="session", autouse=True)
def repeated_work():
    """What hundreds of tests have in common is done once."""
    with pytest.MonkeyPatch.context() as patch:
        keep_parsers(patch)
        keep_digits(patch)
        draw_outlines(patch)
        yield


@pytest.fixture
def whole_pictures(monkeypatch):
    """For tests of the pictures that a run gets at its end."""
    draw_whole(monkeypatch)


@pytest.fixture
def curves_after_epochs(monkeypatch, whole_pictures):
    """For tests of what is written when."""
    for name, begin in BEGIN.items():
        monkeypatch.setattr(f"residua.training.train.{name}", begin)


@pytest.fixture(scope="session")
def engine():
    return NumpyEngine()


@pytest.fixture
def quiet_cache(tmp_path, monkeypatch):
    """A cache of this test's own, and no data folder: nothing of the user's is read or written."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "user-cache"))
    monkeypatch.delenv("RESIDUA_DATA", raising=False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder that holds pics/ (blue and red) and run/, a tiny network trained on them; to read only."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(folder / "user-cache"))
        pics = paint_folder(folder / "pics")
        draw_whole(patch)
        train(pics, run=str(folder / "run"), reporter=Quiet(), **TINY | {"epochs": 10})
    return folder


@pytest.fixture(scope="session")
def members(tmp_path_factory):
    """Three small networks on scikit-learn's digits; the last with another split."""
    folder = tmp_path_factory.mktemp("members")
    for name, width, seed in (("one", 4, 0), ("two", 6, 0), ("three", 4, 1)):
        options = {"model": "resnet8", "width": width, "epochs": 1, "seed": seed, "engine": "numpy"}
        train("digits", run=str(folder / name), final_test=False, reporter=Quiet(), **options)
    return folder


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
