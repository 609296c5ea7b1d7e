"""How many cores there are: what the system says, and no more than a container may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from residua.cores import available_cores


@pytest.mark.parametrize(
    ("quota", "cores"), [("max 100000", 8), ("200000 100000", 2), ("50000 100000", 1), ("nonsense", 8)]
)
def test_a_containers_quota_counts(quota, cores, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(Path, "read_text", lambda path: quota)
    assert available_cores() == cores


def test_without_a_quota_all_cores_count(monkeypatch):
    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    monkeypatch.setattr(Path, "read_text", missing)
    assert available_cores() == 3
