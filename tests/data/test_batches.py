"""Every picture once an epoch, in an order that repeats, and a background thread that never stays behind."""

import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.errors import ConfigError, ShapeError

PREP = Preprocessing(4, 4, 1, (0.5,), (0.25,))


def split(n):
    images = np.random.default_rng(0).integers(0, 256, (n, 4, 4, 1), np.uint8)
    return Pictures(images, np.arange(n) % 3, [f"p{k}" for k in range(n)])


def threads():
    return [t for t in threading.enumerate() if t.name.startswith("residua-batches")]


@pytest.fixture(autouse=True)
def no_thread_left():
    yield
    assert threads() == []


def equal(one, other):
    return len(one) == len(other) and all(
        np.array_equal(a.images, b.images)
        and np.array_equal(a.labels, b.labels)
        and np.array_equal(a.indices, b.indices)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(
    ("pictures", "batch", "sizes"),
    [
        (33, 16, [16, 17]),
        (34, 16, [16, 18]),
        (35, 16, [16, 16, 3]),
        (33, 32, [33]),
        (17, 8, [8, 9]),
        (18, 8, [8, 8, 2]),  # a quarter of a batch more
        (9, 4, [4, 4, 1]),
        (32, 16, [16, 16]),
        (1, 16, [1]),
        (3, 1, [1, 1, 1]),
    ],
)
def test_a_last_batch_of_a_picture_or_two_joins_the_one_before_in_training(pictures, batch, sizes):
    trained = Batches(split(pictures), PREP, None, batch, seed=3)
    with trained.epoch(1) as running:
        assert [len(one.labels) for one in running] == sizes
    assert trained.count == len(sizes)
    judged = [len(one.labels) for one in Batches(split(pictures), PREP, None, batch)]
    assert judged == [batch] * (pictures // batch) + [pictures % batch] * (pictures % batch > 0)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 60),
    size=st.integers(1, 70),
    seed=st.integers(0, 2**64),
    epoch=st.integers(0, 1000),
    data=st.data(),
)
def test_each_once_and_resumed_anywhere(n, size, seed, epoch, data):
    pictures = split(n)
    batches = Batches(pictures, PREP, Augment(1, True, 1), size, seed)
    with batches.epoch(epoch) as running:
        whole = list(running)
    assert len(whole) == batches.count == len(batches)
    indices = np.concatenate([batch.indices for batch in whole])
    assert sorted(indices.tolist()) == list(range(n))
    for batch in whole:
        assert np.array_equal(batch.labels, pictures.labels[batch.indices])
        assert batch.images.dtype == np.float32
        assert batch.labels.dtype == np.int64
    start = data.draw(st.integers(0, batches.count))
    with Batches(pictures, PREP, Augment(1, True, 1), size, seed).epoch(epoch, start) as running:
        assert equal(list(running), whole[start:])


def test_the_order_differs_by_epoch_and_by_seed():
    orders = [Batches(split(200), PREP, None, 8, seed).order(e).tolist() for seed in (0, 1) for e in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4


def test_the_order_is_even():
    # Where the first picture comes, over many epochs: every tenth of the epoch about equally often.
    batches = Batches(split(100), PREP, None, 8, 5)
    places = [int(np.flatnonzero(batches.order(epoch) == 0)[0]) for epoch in range(1000)]
    tenths = np.bincount(np.array(places) // 10, minlength=10)
    assert tenths.min() > 60
    assert tenths.max() < 150


def test_without_a_seed_in_the_order_of_the_split():
    pictures = split(10)
    batches = list(Batches(pictures, PREP, batch=4))
    assert [batch.indices.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert np.array_equal(np.concatenate([b.images for b in batches]), PREP.normalize(pictures.images))


def test_stopping_early_ends_the_thread():
    batches = Batches(split(50), PREP, None, 2, 0)
    with batches.epoch(0) as running:
        next(running)
        assert len(threads()) == 1
    assert threads() == []
    with pytest.raises(StopIteration):
        next(running)
    iterator = iter(batches)
    next(iterator)
    iterator.close()
    assert threads() == []
    running.close()


def test_an_error_of_the_consumer_ends_the_thread():
    def consume():
        with Batches(split(50), PREP, None, 2, 0).epoch(0) as running:
            next(running)
            raise KeyError

    with pytest.raises(KeyError):
        consume()
    assert threads() == []


def test_a_dropped_epoch_lets_its_thread_go():
    running = Batches(split(50), PREP, None, 2, 0).epoch(0)
    next(running)
    (thread,) = threads()
    del running
    thread.join(10)
    assert not thread.is_alive()


def test_errors_in_the_background_are_passed_on():
    pictures = split(10)
    labels = pictures.labels

    class Failing:
        shape, dtype, ndim = pictures.images.shape, np.dtype(np.uint8), 4

        def __len__(self):
            return 10

        def __getitem__(self, places):
            if 7 in places:
                raise OSError("the disk is gone")
            return pictures.images[places]

    seen = []
    broken = Pictures(Failing(), labels, pictures.names)

    def consume():
        for batch in Batches(broken, PREP, batch=2):
            seen.append(batch.indices[0])

    with pytest.raises(OSError, match="the disk is gone"):
        consume()
    assert seen == [0, 2, 4]
    assert threads() == []


def test_one_batch_ahead_and_no_more():
    made = []

    class Noting(Batches):
        def make(self, order, epoch, number):
            made.append(number)
            return super().make(order, epoch, number)

    with Noting(split(20), PREP, batch=2).epoch(0) as running:
        for number, _ in enumerate(running):
            assert len(made) <= number + 2
    assert made == list(range(10))


def test_two_epochs_at_once_do_not_disturb_each_other():
    batches = Batches(split(30), PREP, Augment(1), 4, 0)
    alone = list(batches.epoch(0))
    with batches.epoch(0) as one, batches.epoch(1) as other:
        together = [batch for batch, _ in zip(one, other, strict=True)]
    assert equal(alone, together)


def test_waiting_is_counted():
    event = threading.Event()

    class Slow(Batches):
        def make(self, order, epoch, number):
            event.wait(0.02)
            return super().make(order, epoch, number)

    batches = Slow(split(6), PREP, batch=2)
    assert batches.waited_seconds == 0
    list(batches)
    assert batches.waited_seconds > 0.03


def test_impossible_requests():
    pictures = split(10)
    with pytest.raises(ConfigError, match="at least 1 picture"):
        Batches(pictures, PREP, batch=0)
    with pytest.raises(ConfigError, match="cannot start at 6"):
        Batches(pictures, PREP, batch=2).epoch(0, 6)
    with pytest.raises(ConfigError, match="needs a seed"):
        Batches(pictures, PREP, Augment(1), 2)
    with pytest.raises(ShapeError):
        Batches(pictures, Preprocessing(5, 5, 1, (0.0,), (1.0,)))
    assert list(Batches(pictures.take([]), PREP)) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_an_epoch_that_was_begun_goes_on_in_a_forked_child():
    batches = Batches(split(40), PREP, None, 8, seed=1)
    with batches.epoch(0) as expected:
        expected = [batch.indices.tolist() for batch in expected]
    with batches.epoch(0) as running:
        first = next(running).indices.tolist()
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # hangs no longer than that
            rest = [batch.indices.tolist() for batch in running]
            os._exit(0 if [first, *rest] == expected else 1)
        rest = [batch.indices.tolist() for batch in running]
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [first, *rest] == expected


def test_parts_of_batches_are_together_the_whole_ones():
    images = np.random.default_rng(0).integers(0, 256, (37, 4, 4, 3), np.uint8)
    every = Pictures(images, np.arange(37) % 3, [str(k) for k in range(37)])
    whole = Batches(every, Preprocessing.measure(images), batch=8, seed=1)
    parts = [whole.part(k, k + 1, 4) for k in range(4)]
    for batch, *pieces in zip(whole, *parts, strict=True):
        assert {piece.whole for piece in pieces} == {batch.whole} == {len(batch.labels)}
        assert np.concatenate([piece.indices for piece in pieces]).tolist() == batch.indices.tolist()
        assert np.concatenate([piece.images for piece in pieces]).tobytes() == batch.images.tobytes()
    with pytest.raises(ConfigError, match=r"last batch of an epoch has 5 pictures, fewer than the 6 parts"):
        whole.part(0, 1, 6)
    with pytest.raises(ConfigError, match=r"a batch has 4 pictures, fewer than the 8 parts"):
        Batches(every, Preprocessing.measure(images), batch=4, seed=1).part(0, 1, 8)
