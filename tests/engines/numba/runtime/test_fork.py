"""Forks, threads and interrupts: right answers or a clear error, and nothing that hangs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("numba")
from residua.engines.numba import NumbaEngine
from residua.engines.numba.runtime import fork
from residua.errors import EngineError

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
SECONDS = 30  # a child that takes longer hangs
X = np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
WEIGHT = np.random.default_rng(1).random((3, 3, 3, 5), np.float32)


def step_of(engine):
    return engine.compile(lambda x: engine.conv2d(x, WEIGHT, None, stride=1, padding=1)[0])


def fork_and_ask(answer):
    """What a forked child comes to: True, or what went wrong. A child that hangs is ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            message = str(answer())
        except BaseException as error:
            message = f"{type(error).__name__}: {error}"
        os.write(writer, message.encode()[:4000])
        os._exit(0)
    os.close(writer)
    ended = time.monotonic() + SECONDS
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reader)
            return "hangs"
        time.sleep(0.005)
    with open(reader) as file:
        return file.read()


@pytest.fixture
def busy_threads():
    """Starts functions that threads call again and again until the test ends."""
    stop, threads = threading.Event(), []

    def start(work):
        def run():
            while not stop.is_set():
                work()

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join()


@forks
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_forked_while_threads_predict_give_the_same_bits(busy_threads):
    engine = NumbaEngine(2)
    step = step_of(engine)
    expected = [step(X) for _ in range(6)][-1].tobytes()  # the last ones are replays
    busy_threads(lambda: step(X))
    busy_threads(lambda: step_of(NumbaEngine(2))(X))

    def answer():
        again = [step(X).tobytes() == expected for _ in range(6)]
        return all(again) and step_of(NumbaEngine(2))(X).tobytes() == expected

    assert [fork_and_ask(answer) for _ in range(5)] == ["True"] * 5
    assert step(X).tobytes() == expected


@forks
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_forked_while_a_kernel_is_compiled_wait_for_it(tmp_path, monkeypatch, busy_threads):
    monkeypatch.setenv("RESIDUA_KERNEL_CACHE", str(tmp_path))
    expected = NumbaEngine(1).softmax(X.reshape(4, -1)).tobytes()
    compiled = []

    def compile_anew():
        engine = NumbaEngine(1, say=compiled.append)
        engine.context.kernels._of_process.addresses.clear()
        for file in tmp_path.rglob("linear-softmax-softmax.*"):
            file.unlink()
        engine.context.kernels._of_process.lowered.clear()
        engine.softmax(X.reshape(4, -1))

    busy_threads(compile_anew)

    def answer():
        engine = NumbaEngine(1)
        engine.context.kernels._of_process.addresses.clear()
        return engine.softmax(X.reshape(4, -1)).tobytes() == expected

    assert [fork_and_ask(answer) for _ in range(2)] == ["True"] * 2


@forks
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_thread_that_forks_within_its_own_step_goes_on_in_the_child(busy_threads):
    engine = NumbaEngine(2)
    expected = step_of(engine)(X).tobytes()
    asked = []

    def work(x):
        y = engine.plain(engine.conv2d(x, WEIGHT, None, stride=1, padding=1)[0])
        if not asked:
            asked.append(None)
            asked[0] = fork_and_ask(lambda: step_of(engine)(x).tobytes() == expected)
        return y

    assert engine.compile(work)(X).tobytes() == expected
    assert asked == ["True"]


@forks
def test_what_cannot_be_compiled_after_a_fork_says_so(monkeypatch):
    engine = NumbaEngine(1)
    monkeypatch.setattr(engine.context.kernels._of_process, "addresses", {})
    monkeypatch.setattr(fork, "_compiler_intact", False)
    with pytest.raises(EngineError, match="forked while another thread of its parent was compiling"):
        engine.softmax(X.reshape(4, -1))


def test_eight_threads_give_the_bits_of_one():
    """One engine and one step, and operations one by one beside it."""
    engine = NumbaEngine(2)
    step = step_of(engine)
    pictures = [np.random.default_rng(seed).random((4, 8, 8, 3), np.float32) for seed in range(8)]
    expected = [step_of(NumbaEngine(1))(x).tobytes() for x in pictures]

    def ask(number):
        x, right = pictures[number], True
        for turn in range(20):
            if turn % 3 == number % 3:
                y = engine.plain(engine.conv2d(x, WEIGHT, None, stride=1, padding=1)[0])
            else:
                y = step(x)
            right = right and y.tobytes() == expected[number]
        return right

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == [True] * 8


def spawned(numbers):
    return step_of(NumbaEngine(1))(np.array(numbers, np.float32)).tobytes()


@pytest.mark.parametrize("method", ["spawn", pytest.param("forkserver", marks=pytest.mark.exhaustive)])
def test_processes_started_in_other_ways_give_the_same_bits(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(spawned, (X.tolist(),)) == step_of(NumbaEngine(1))(X).tobytes()
