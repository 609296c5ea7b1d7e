"""What is said of engines, and which one is chosen."""

from __future__ import annotations

import pytest

from residua.cli import run
from residua.engines import choose_engine, open_engine
from residua.engines.table import NEEDS, installed
from residua.errors import EngineError


def test_a_missing_engine_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(NEEDS, "numba", ("no_such_module", "fast"))
    assert choose_engine("auto", 1e15) == "numpy"
    with pytest.raises(EngineError, match=r"pip install 'residua\[fast\]'"):
        open_engine("numba")


def test_engines_are_listed_with_a_measured_speed(capsys, monkeypatch):
    monkeypatch.setattr("residua.engines.survey.SECONDS", 0.01)
    assert run(["engines", "--threads", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["numpy", "numba", "jax"]
    assert "multiply-adds a second" in lines[0]
    if installed("numba"):
        assert "vectors of" in lines[1]
    if installed("jax"):
        assert "on the processor" in lines[2]


def test_engines_that_are_not_installed_are_listed_too(capsys, monkeypatch):
    monkeypatch.setattr("residua.engines.survey.SECONDS", 0.01)
    monkeypatch.setitem(NEEDS, "numba", ("no_such_module", "fast"))
    assert run(["engines"]) == 0
    assert "not installed: pip install 'residua[fast]'" in capsys.readouterr().out


def test_warm_compiles_once(capsys):
    pytest.importorskip("numba", reason="the fast engine is not installed")
    command = ["warm", "resnet8", "--width", "16", "--size", "8", "--channels", "1"]
    assert run(command) == 0
    capsys.readouterr()
    assert run(command) == 0
    assert "0 kernels compiled" in capsys.readouterr().out


def test_warm_needs_a_model_that_exists(capsys):
    pytest.importorskip("numba", reason="the fast engine is not installed")
    assert run(["warm", "resnet21"]) == 2
    assert "Did you mean" in capsys.readouterr().err
