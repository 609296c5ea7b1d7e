"""Batches in parts: what cannot be divided is refused before anything is written."""

from __future__ import annotations

import importlib.util
import os

import pytest
from tiny import TINY, contents, paint_folder, refused

JAX = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")


@pytest.fixture(scope="module")
def pics(tmp_path_factory):
    return paint_folder(tmp_path_factory.mktemp("divided") / "pics", count=10)


@pytest.mark.parametrize("place", [{}, {"run": "here"}])
@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"batch": 7}, "a batch has 7 pictures, fewer than the 8 parts that it is computed in; "),
        pytest.param({"engine": "jax"}, "batches are divided under mpiexec and by --exact-", marks=JAX),
    ],
)
def test_what_cannot_be_divided_is_refused_before_there_is_a_folder(
    pics, tmp_path, monkeypatch, capsys, quiet_cache, place, option, told
):
    monkeypatch.chdir(tmp_path)
    options = TINY | {"engine": "numpy"} | option | place
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    line = refused(capsys, "train", pics, "--exact-ranks", *words).splitlines()[-1]
    assert line.startswith(told)
    assert {name for name in contents(tmp_path) if not name.startswith("user-cache/")} == set()
    assert not {"runs", "here"} & set(os.listdir(tmp_path))
