"""Turns without rests, a peak that is known, and PyTorch where it is installed."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    monkeypatch.setattr("residua.bench.timing.REST_SECONDS", 0.0)
    monkeypatch.setattr("residua.bench.timing.TURN_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def known_peak(monkeypatch):
    """Measured once in a process of its own; here a second that nobody needs."""
    monkeypatch.setattr("residua.bench.harness.sgemm_peak", lambda threads: 1e11)
    monkeypatch.setattr("residua.bench.run.sgemm_peak", lambda threads: 1e11)


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.fixture
def peer():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from residua.bench import pytorch

    pytorch.use_threads(1)
    return pytorch
