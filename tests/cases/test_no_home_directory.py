"""A user without a home, as in a container: everything works, nothing is kept, no folder called ~ appears."""

from __future__ import annotations

import os

import pytest
from tiny import OPTIONS, call, paint_folder

from residua.files.user_cache import NOWHERE, user_cache


@pytest.fixture(params=[None, "", "relative"], ids=["absent", "empty", "relative"])
def homeless(request, tmp_path, monkeypatch):
    """HOME absent, empty or relative, and a user whom the system does not know."""

    def unknown(number):
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("XDG_CACHE_HOME", "HOME", "RESIDUA_DATA"):
        monkeypatch.delenv(name, raising=False)
    if request.param is not None:
        monkeypatch.setenv("HOME", request.param)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(os.name == "nt", reason="homes are found another way there")
def test_a_folder_is_trained_on_and_evaluated(homeless, capsys):
    assert user_cache() == NOWHERE
    paint_folder(homeless / "pets", count=6)
    code, out, err = call(capsys, "train", "pets", *OPTIONS, "--engine", "numpy", "--run", "run")
    assert code == 0, err
    assert "The pictures are kept in memory: no home folder is known; XDG_CACHE_HOME can name" in out
    code, out, err = call(capsys, "evaluate", "run")
    assert code == 0, err
    assert err.count("kept in memory") == 1
    code, _, err = call(capsys, "train", "~/pets")
    assert code == 2
    assert "'~/pets' is neither a data set nor a folder" in err
    assert sorted(path.name for path in homeless.iterdir()) == ["pets", "run"]


def test_kernels_are_compiled_anew_and_it_is_said(homeless, monkeypatch):
    cache = pytest.importorskip("residua.engines.numba.runtime.kernel_cache")
    monkeypatch.delenv("RESIDUA_KERNEL_CACHE", raising=False)
    monkeypatch.setattr(cache, "_compiled", {})
    said: list[str] = []
    assert cache.KernelCache(said.append).folder is None
    assert said == [
        "residua: kernels are compiled anew in each process: no home folder is known; "
        "XDG_CACHE_HOME can name a folder for such things."
    ]
