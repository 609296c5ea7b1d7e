"""An interrupt in the middle of a step or of compiling: the next call is as if nothing had happened."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

pytest.importorskip("numba")
from residua.engines.numba import NumbaEngine

X = np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
WEIGHT = np.random.default_rng(1).random((3, 3, 3, 5), np.float32)


@pytest.fixture
def interruptible():
    """Ctrl-C as in a terminal: a shell starts what runs in its background deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no way to interrupt one thread")
def test_an_interrupt_while_a_kernel_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("RESIDUA_KERNEL_CACHE", str(tmp_path))
    said = []
    engine = NumbaEngine(1, said.append)
    rows = X.reshape(4, -1)
    expected = NumbaEngine(1).softmax(rows)
    kernels = engine.context.kernels
    for compiled in (kernels._of_process.addresses, kernels._of_process.lowered):
        compiled.clear()
    for file in tmp_path.rglob("linear-*"):
        file.unlink()
    begun, heard, make = threading.Event(), threading.Event(), kernels._make

    def slow(*arguments):
        begun.set()
        heard.wait(60)  # not done before whoever waits is interrupted
        return make(*arguments)

    monkeypatch.setattr(kernels, "_make", slow)

    def interrupt():
        begun.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        engine.softmax(rows)
    heard.set()
    assert (engine.softmax(rows) == expected).all()


@pytest.mark.parametrize("stop_at", range(1, 8))
def test_an_interrupt_within_a_step(stop_at):
    """As it stands, at its recording, in its replays."""
    engine, calls, stopped = NumbaEngine(2), [], []

    def interrupted(xp, y):
        calls.append(None)
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        return xp.tanh(y)

    def work(x):
        y, _ = engine.conv2d(x, WEIGHT, None, stride=1, padding=1)
        return engine.apply(interrupted, y)

    y, _ = engine.conv2d(X, WEIGHT, None, stride=1, padding=1)
    expected, step = np.tanh(engine.plain(y)), engine.compile(work)
    for _ in range(6):
        try:
            assert (step(X) == expected).all()
        except KeyboardInterrupt:
            stopped.append(None)
            assert engine.context.tape is None
    assert len(stopped) == 1
