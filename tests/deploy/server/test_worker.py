"""The thread that answers: what waits is answered together, and who waits hears of it at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

pytest.importorskip("starlette", reason="starlette is not installed")

from residua.deploy.server.metrics import Metrics
from residua.deploy.server.worker import Full, Worker
from residua.errors import PictureError


def echo(pictures):
    """Every picture as its own answer, but for one that is none."""
    return [PictureError("none") if picture == b"none" else picture for picture in pictures]


def broken(pictures):
    raise ValueError("an engine that fails")


def stub(answer):
    return SimpleNamespace(answer=answer, look=lambda say: None, close=lambda: None)


def settled(answer, pictures, gone=None, late=False):
    """What came of the pictures, submitted before the worker begins, and how often it called the loop.

    gone: the number of one that nobody waits for any more; late: only since it is being answered.
    """

    async def ask():
        calls, pending, loop = [], [], asyncio.get_running_loop()
        usual = loop.call_soon_threadsafe

        def answered(pictures):
            if late:
                usual(pending[gone].cancel)
            return answer(pictures)

        served = stub(answered)
        loop.call_soon_threadsafe = lambda *given, **more: calls.append(1) or usual(*given, **more)
        worker = Worker([served], len(pictures), len(pictures), Metrics())
        pending += [worker.submit(served, picture) for picture in pictures]
        with pytest.raises(Full):
            worker.submit(served, b"one too many")
        if gone is not None and not late:
            pending[gone].cancel()
        worker.start()
        found = await asyncio.wait_for(asyncio.gather(*pending, return_exceptions=True), 30)
        count = len(calls)
        worker.stop()
        return found, count

    # In a thread of its own, for a browser of other tests may have a loop in this one.
    with ThreadPoolExecutor(1) as own:
        return own.submit(lambda: asyncio.run(ask())).result()


def test_a_batch_is_delivered_at_once():
    found, calls = settled(echo, [b"a", b"b", b"none", b"c"])
    assert (found[0], found[1], found[3]) == (b"a", b"b", b"c")
    assert isinstance(found[2], PictureError)
    assert calls == 1


@pytest.mark.parametrize("late", [False, True])
def test_who_went_away_holds_nobody_up(late):
    found, _ = settled(echo, [b"a", b"b"], gone=0, late=late)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1] == b"b"


def test_an_engine_that_fails_is_told_to_all():
    found, calls = settled(broken, [b"a", b"b"])
    assert [str(error) for error in found] == ["an engine that fails"] * 2
    assert calls == 1
