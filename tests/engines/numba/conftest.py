"""The fast engine for the tests of a file; without Numba they skip."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def engine():
    """Two threads, whatever the machine has."""
    return pytest.importorskip("residua.engines.numba").NumbaEngine(2)
