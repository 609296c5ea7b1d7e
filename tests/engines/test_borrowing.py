"""Engines that are lent again: one user at a time, few kept, none across a fork."""

from __future__ import annotations

import os
import threading

import pytest

from residua.engines import borrowing
from residua.engines.borrowing import borrow_engine, forget_engines
from residua.errors import EngineError


@pytest.fixture(autouse=True)
def fresh():
    forget_engines()
    yield
    forget_engines()


def test_an_engine_is_lent_again_and_to_one_at_a_time():
    with borrow_engine("numpy", threads=1) as one:
        with borrow_engine("numpy", threads=1) as other:
            assert other is not one
        with borrow_engine("numpy", threads=1) as again:
            assert again is other
        with borrow_engine("numpy", threads=2) as more:
            assert more.threads == 2
    with borrow_engine("auto", threads=1) as auto:
        assert auto in (one, other), "what auto comes to is lent as such"
    with pytest.raises(EngineError, match="there is no engine 'nump'"), borrow_engine("nump"):
        pass


def test_what_was_interrupted_is_not_lent_again():
    with pytest.raises(KeyboardInterrupt), borrow_engine("numpy", threads=1) as one:
        raise KeyboardInterrupt
    with borrow_engine("numpy", threads=1) as other:
        assert other is not one


def test_many_threads_leave_few_engines():
    barrier = threading.Barrier(12)

    def work():
        with borrow_engine("numpy", threads=1):
            barrier.wait()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(borrowing._idle["numpy", 1]) == borrowing.MOST_IDLE


def test_one_that_holds_much_memory_is_dropped(monkeypatch):
    monkeypatch.setattr(borrowing, "MOST_BYTES", -1)
    with borrow_engine("numpy", threads=1):
        pass
    assert not borrowing._idle["numpy", 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
# JAX, where another test has loaded it, warns of any fork; the child here computes nothing.
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning")
def test_a_forked_process_begins_without():
    with borrow_engine("numpy", threads=1):
        pass
    child = os.fork()
    if child == 0:
        os._exit(len(borrowing._idle["numpy", 1]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(borrowing._idle["numpy", 1]) == 1
