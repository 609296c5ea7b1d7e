"""Memory for results: what does not fit says what would; what has ended takes no more of it."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

pytest.importorskip("numba")
from residua.engines.numba import NumbaEngine
from residua.engines.numba.runtime.buffers import LARGE, Loan, lease_of
from residua.errors import EngineError


def test_a_batch_too_large_for_memory_names_one_that_fits():
    engine = NumbaEngine(1)
    engine.context.memory.limit = 1 << 20
    x, weight = np.zeros((64, 16, 16, 16), np.float32), np.zeros((3, 3, 16, 16), np.float32)
    with pytest.raises(EngineError, match=r"batch of 64 needs .* try a batch of \d+"):
        engine.conv2d(x, weight, None, stride=1, padding=1)
    assert engine.conv2d(x[:1], weight, None, stride=1, padding=1)[0].shape == (1, 16, 16, 16)


def test_memory_that_nobody_has_any_more_is_not_counted():
    memory = NumbaEngine(1).context.memory
    for size in (1, 1000, LARGE // 4, LARGE):
        array = memory.allocate_fresh(size)
        held = memory.bytes
        del array
        assert memory.bytes == held - 4 * size
    pile = memory.allocate(1000)
    held = memory.bytes
    del pile
    assert memory.bytes == held  # it waits to be lent again


def test_large_memory_of_its_own_goes_back_to_the_system():
    memory = NumbaEngine(1).context.memory
    small = memory.allocate_fresh(1)  # which would hold a common piece of memory
    large = memory.allocate_fresh(LARGE)
    lease = lease_of(large)
    assert lease.memory.buffer is not lease_of(small).memory.buffer
    buffer = weakref.ref(lease.memory.buffer)
    del large, lease
    assert buffer() is None


def test_a_loan_goes_back_to_its_piles():
    memory = NumbaEngine(1).context.memory
    array = memory.allocate(1000)
    pile, block = lease_of(array).pile, lease_of(array).memory
    del array
    assert memory.take_out({id(block)}) == {id(block)}
    loan = Loan([(pile, block)])
    assert lease_of(memory.allocate(1000)).memory is not block
    del loan
    assert lease_of(memory.allocate(1000)).memory is block
