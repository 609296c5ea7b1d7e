"""Batches of an epoch, prepared one ahead of the consumer."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from residua.config.defaults import BATCH
from residua.data.augmentation.mixup_cutmix import Mix
from residua.data.augmentation.pipeline import Augment
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.data.random_numbers import ORDER, RandomNumbers
from residua.data.views import CENTER, View
from residua.engines.vocabulary.core import Engine
from residua.errors import ConfigError

TINY, EIGHTH = 2, 8  # pictures; and the share of a batch that it may grow by


@dataclass(frozen=True, eq=False)
class Batch:
    """Pictures to learn from or to judge.

    images: (N, H, W, C) float32, normalised and varied. labels: (N,) int64. indices: (N,) int64, the
    those of the pictures in their split, for naming files. others, share: where pictures are mixed, (N,)
    the labels of what was mixed in, and (N,) float32 how much `labels` count; `others` have the rest.
    total: where others compute the rest of the batch, how many pictures all of it has.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]
    others: NDArray[np.int64] | None = None
    share: NDArray[np.float32] | None = None
    total: int = 0

    @property
    def whole(self) -> int:
        """Pictures of the batch that this is, or is a part of."""
        return self.total or len(self.labels)


class Batches:
    """The batches of a split: every picture exactly once an epoch, the last batch smaller if need be.

    In training a last batch of a picture or two (`TINY`) joins the one before: batch normalisation would take
    its mean and variance from next to nothing.

    With a seed the order is drawn from (seed, epoch); without one it is the order of the split, for
    evaluation. augment varies the pictures, mix combines two of them, view says what is seen of one that is
    not varied. engine: helps with varying. `waited_seconds` is the time that the consumer of the latest epoch
    stood waiting for data.
    """

    def __init__(
        self,
        pictures: Pictures,
        preprocessing: Preprocessing,
        augment: Augment | None = None,
        batch: int = BATCH,
        seed: int | None = None,
        mix: Mix | None = None,
        view: View = CENTER,
        engine: Engine | None = None,
    ) -> None:
        if not isinstance(batch, int) or batch < 1:
            raise ConfigError(f"A batch needs at least 1 picture, not {batch!r}.")
        if (augment or mix) and seed is None:
            raise ConfigError("Varying the pictures needs a seed to draw from.")
        preprocessing.check(pictures.images)
        if augment:
            augment.check(preprocessing.channels)
        self.pictures, self.preprocessing, self.augment = pictures, preprocessing, augment
        self.batch, self.seed, self.mix, self.view, self.engine = batch, seed, mix, view, engine
        self.waited_seconds = 0.0
        self.parts: tuple[int, int, int] | None = None
        self.stretch: tuple[int, int] | None = None

    def part(self, first: int, last: int, count: int) -> Batches:
        """The same batches, of which others make the rest: of `count` parts, those from first to last.

        Raises ConfigError where a batch has fewer pictures than parts.
        """
        rest = len(self.pictures) - self.batch * (self.count - 1)
        for size, which in ((self.batch, "a batch"), (rest, "the last batch of an epoch")):
            if size < count:
                raise ConfigError(
                    f"{which} has {size} pictures, fewer than the {count} parts that it is computed in; "
                    "choose another --batch, or fewer processes."
                )
        own = copy.copy(self)
        own.parts = (first, last, count)
        return own

    def rows(self, number: int, count: int, rows: int) -> Batches:
        """The same batches, of which others make the rest: the number-th of `count` equal stretches.

        rows: how many a batch has once it is filled up; where a short one ends early, the last stretches hold
        no pictures. Raises ConfigError where a batch has fewer pictures than stretches.
        """
        if (least := min(self.batch, len(self.pictures))) < count:
            raise ConfigError(
                f"a batch of {least} is too small for {count} hosts, each of which takes a part of it: "
                "choose another --batch, or fewer hosts"
            )
        own = copy.copy(self)
        own.stretch = (rows * number // count, rows * (number + 1) // count)
        return own

    @property
    def count(self) -> int:
        """Batches in an epoch."""
        whole, rest = divmod(len(self.pictures), self.batch)
        tiny = self.seed is not None and whole > 0 and rest <= TINY and EIGHTH * rest <= self.batch
        return whole if tiny else whole + (rest > 0)

    def place(self, number: int) -> slice:
        """Which of an epoch's pictures, in its order, are in that batch."""
        last = number == self.count - 1
        return slice(number * self.batch, None if last else (number + 1) * self.batch)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Batch]:
        with self.epoch(0) as batches:
            yield from batches

    def epoch(self, epoch: int, start: int = 0) -> Epoch:
        """The batches of one epoch from batch `start` on; use it in a `with` statement.

        A start in the middle gives exactly the batches that the whole epoch would have given.
        """
        if not 0 <= start <= self.count:
            raise ConfigError(f"The epoch has batches 0 to {self.count - 1}; it cannot start at {start}.")
        return Epoch(self, epoch, start)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """(N,) the indices of the split in the order in which this epoch visits them.

        Sorted by a hash of our own rather than shuffled by NumPy, whose shuffles may change with its
        version; a resumed run must go on in the same order.
        """
        indices = np.arange(len(self.pictures), dtype=np.int64)
        if self.seed is None:
            return indices
        return np.argsort(RandomNumbers(self.seed, epoch, indices).bits(ORDER), kind="stable")

    def make(self, order: NDArray[np.int64], epoch: int, number: int) -> Batch:
        """Prepare batch `number` of an epoch visited in `order`."""
        indices = order[self.place(number)]
        total = 0
        if self.parts is not None:
            (first, last, count), total = self.parts, len(indices)
            indices = indices[total * first // count : total * last // count]
        if self.stretch is not None:
            whole, total = indices, len(indices)
            indices = whole[slice(*self.stretch)]
            if not len(indices):
                return _none_of(self._made(whole[:1], epoch, total))
        return self._made(indices, epoch, total)

    def _made(self, indices: NDArray[np.int64], epoch: int, total: int) -> Batch:
        ready, labels = self._prepared(epoch, indices), self.pictures.labels[indices]
        if not self.mix or self.seed is None:
            return Batch(ready, labels, indices, total=total)
        partners = self.mix.partners(len(self.pictures), self.seed, epoch, indices)
        others = self._prepared(epoch, partners)
        mixed, share = self.mix.apply(ready, others, self.seed, epoch, indices)
        return Batch(mixed, labels, indices, self.pictures.labels[partners], share, total)

    def unvaried(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """What a network is shown of the pictures at these indices where nothing is varied."""
        return self.preprocessing.normalize(self.pictures.images[indices], self.view)

    def _prepared(self, epoch: int, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """The pictures at these indices, normalised, and varied where that is asked for."""
        # Pictures larger than what is seen are cut at random even where nothing else varies them.
        varied = self.augment is not None and (bool(self.augment) or self.preprocessing.source is not None)
        if varied and self.augment is not None and self.seed is not None:
            return self.augment.take(
                self.pictures.images, self.preprocessing, self.seed, epoch, indices, self.engine
            )
        return self.unvaried(indices)


def _none_of(batch: Batch) -> Batch:
    """The batch without its pictures."""
    arrays = {name: value[:0] for name, value in vars(batch).items() if name != "total" and value is not None}
    return replace(batch, **arrays)


class Epoch(Iterator[Batch]):
    """An epoch under way: one batch is being prepared while the consumer works on another.

    What fails in the background is raised from `next`. Leaving the `with` statement, the last batch, an
    error or `close` end the background thread.
    """

    def __init__(self, batches: Batches, epoch: int, start: int) -> None:
        batches.waited_seconds = 0.0
        self._batches, self._epoch, self._next = batches, epoch, start
        self._order = batches.order(epoch)
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: Future[Batch] | None = None
        self._process = os.getpid()
        if start < batches.count:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="residua-batches")
            self._prepare()

    def __next__(self) -> Batch:
        if self._ahead is None:
            self.close()
            raise StopIteration
        if self._process != os.getpid():
            self._begin_in_child()
        began = time.perf_counter()
        try:
            batch = self._ahead.result()
        except BaseException:
            self.close()
            raise
        finally:
            self._batches.waited_seconds += time.perf_counter() - began
        self._prepare()
        return batch

    def _begin_in_child(self) -> None:
        """After a fork the thread, and what it was preparing, are the parent's."""
        self._process = os.getpid()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="residua-batches")
        self._next -= 1
        self._prepare()

    def close(self) -> None:
        """Stop preparing and wait for the thread to end; harmless when repeated."""
        pool, self._pool, self._ahead = self._pool, None, None
        if pool is not None and self._process == os.getpid():
            pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # An iterator that is dropped half-way must not keep its thread; waiting here could block.
        if (pool := getattr(self, "_pool", None)) is not None and self._process == os.getpid():
            pool.shutdown(wait=False, cancel_futures=True)

    def _prepare(self) -> None:
        if self._pool is not None and self._next < self._batches.count:
            self._ahead = self._pool.submit(self._batches.make, self._order, self._epoch, self._next)
            self._next += 1
        else:
            self.close()
