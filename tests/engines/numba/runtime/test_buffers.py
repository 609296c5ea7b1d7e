"""Memory for results: what does not fit says what would."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")
from residua.engines.numba import NumbaEngine
from residua.errors import EngineError


def test_a_batch_too_large_for_memory_names_one_that_fits():
    engine = NumbaEngine(1)
    engine.context.memory.limit = 1 << 20
    x, weight = np.zeros((64, 16, 16, 16), np.float32), np.zeros((3, 3, 16, 16), np.float32)
    with pytest.raises(EngineError, match=r"batch of 64 needs .* try a batch of \d+"):
        engine.conv2d(x, weight, None, stride=1, padding=1)
    assert engine.conv2d(x[:1], weight, None, stride=1, padding=1)[0].shape == (1, 16, 16, 16)
