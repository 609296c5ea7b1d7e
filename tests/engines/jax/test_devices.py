"""What is said of devices that are not there, or not of use."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import pytest

from residua.engines import open_engine
from residua.engines.jax import devices
from residua.engines.table import NEEDS
from residua.errors import EngineError


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A machine with an NVIDIA driver."""
    file = tmp_path / "version"
    file.write_text("NVRM version: NVIDIA UNIX 470.1\nGCC\n")
    monkeypatch.setattr(devices, "DRIVER", file)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)


def test_jax_that_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(NEEDS, "jax", ("no_such_module", "jax"))
    with pytest.raises(EngineError, match=r"pip install 'residua\[jax\]'"):
        open_engine("jax")


def test_a_kind_of_device_that_is_not_there_is_named(monkeypatch):
    def none():
        raise RuntimeError("Unable to initialize backend 'cuda'\nmore")

    monkeypatch.setattr(jax, "devices", none)
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    with pytest.raises(EngineError, match=r"the kind 'cuda' .*residua\[cuda\].*backend 'cuda'\)$"):
        open_engine("jax")


def test_a_gpu_without_its_libraries_is_said(driver):
    assert "pip install 'residua[cuda]'" in open_engine("jax").remarks[0]


def test_a_cuda_that_does_not_suit_the_driver_is_said(driver, monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda name: name == "jax_cuda13_plugin")
    with pytest.raises(EngineError, match=r"jax_cuda13_plugin does not run .* 470.1\).*jax\[cuda12\]"):
        open_engine("jax")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert open_engine("jax").devices


def test_without_a_gpu_the_faster_engine_is_named():
    assert "--engine numba is faster" in open_engine("jax").remarks[0]


def test_devices_in_words():
    gpu = SimpleNamespace(platform="gpu", device_kind="NVIDIA H100")
    assert devices.describe((gpu, gpu)) == "2 x NVIDIA H100"
    assert devices.remarks((gpu,)) == ()


def test_what_a_gpu_gives_of_its_memory_is_said(monkeypatch):
    gpu = SimpleNamespace(platform="gpu", memory_stats=lambda: {"bytes_limit": 60 * 2**30})
    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)
    assert devices.memory_note((gpu,)).startswith(
        ", 60 GiB of its memory taken at the start (XLA_PYTHON_CLIENT_"
    )
    gpu.memory_stats = lambda: None
    assert "three quarters of its memory" in devices.memory_note((gpu,))
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    assert devices.memory_note((gpu,)) == ", memory as it is needed (XLA_PYTHON_CLIENT_PREALLOCATE)"
    assert devices.memory_note((SimpleNamespace(platform="cpu"),)) == ""


def test_programs_are_kept_where_that_works(monkeypatch, tmp_path):
    changed = {}
    config = SimpleNamespace(update=changed.__setitem__, jax_compilation_cache_dir=None)
    monkeypatch.setattr(devices, "jax", SimpleNamespace(config=config, __version__="9.8"))
    monkeypatch.delenv("RESIDUA_JAX_CACHE", raising=False)
    devices.keep_programs((SimpleNamespace(platform="cpu"),))
    assert not changed
    devices.keep_programs((SimpleNamespace(platform="gpu"),))
    assert changed["jax_compilation_cache_dir"].endswith("9.8")
    monkeypatch.setenv("RESIDUA_JAX_CACHE", str(tmp_path))
    devices.keep_programs((SimpleNamespace(platform="cpu"),))
    assert changed["jax_compilation_cache_dir"] == str(tmp_path)
