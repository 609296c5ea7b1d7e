"""Results that are computed when they are read: the two gradients of a convolution, or a convolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]


class BackwardJob:
    """The backward step of one convolution, run at most once, by whoever reads a result first.

    `compute(skip)` gives dx and dweight; `skip` is what `takes_skip` accepts, to be added to dx.
    """

    def __init__(self, compute: Callable[[Any], tuple[Any, Any]], takes_skip: bool) -> None:
        self.takes_skip = takes_skip
        self._compute: Callable[[Any], tuple[Any, Any]] | None = compute
        self._results: tuple[Any, Any] | None = None

    @property
    def waiting(self) -> bool:
        """Whether it has not run."""
        return self._results is None

    def run(self, skip: Any = None) -> tuple[Any, Any]:
        """dx and dweight."""
        if self._results is None:
            assert self._compute is not None
            self._results = self._compute(skip)
            # What the job read may go back to its pile.
            self._compute = None
        return self._results


class Promise:
    """A result that is computed when it is read; `job`: the backward step that it comes from, if any."""

    __slots__ = ("_compute", "_plain", "_value", "job", "ndim", "shape", "size")

    def __init__(
        self,
        shape: Shape,
        compute: Callable[[], Any],
        plain: Callable[[Any], Any],
        job: BackwardJob | None = None,
    ) -> None:
        self.shape, self.job = shape, job
        self._plain = plain
        self._compute: Callable[[], Any] | None = compute
        self._value: Any = None
        self.ndim = len(shape)
        self.size = 1
        for side in shape:
            self.size *= side

    def get(self) -> Any:
        """The value, which may be another unfinished one; computed once, however often it is read."""
        if self._compute is not None:
            self._value, self._compute = self._compute(), None
        return self._value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._plain(self).astype(dtype) if dtype is not None else self._plain(self)


@dataclass(frozen=True, eq=False)
class Place:
    """Some channels of larger pictures, flat: how many those have, and which is the first of these."""

    pixels: Any
    channels: int
    first: int


@dataclass(frozen=True, eq=False)
class Ending:
    """What becomes of a convolution as it is stored.

    skip: flat, added before a ReLU. place: where it goes, if not into pictures of its own.
    """

    skip: Any = None
    place: Place | None = None


ALONE = Ending()


class DeferredConvolution(Promise):
    """A convolution that has not run: whoever reads it first says what becomes of it as it is stored.

    rectified: whether it ends in a ReLU, so that nothing can be added to it.
    """

    __slots__ = ("_convolve", "rectified")

    def __init__(
        self,
        shape: Shape,
        convolve: Callable[[Ending], Any],
        plain: Callable[[Any], Any],
        rectified: bool,
    ) -> None:
        super().__init__(shape, lambda: convolve(ALONE), plain)
        self._convolve: Callable[[Ending], Any] | None = convolve
        self.rectified = rectified

    @property
    def waiting(self) -> bool:
        """Whether it has not run."""
        return self._convolve is not None

    def get(self) -> Any:
        """The convolution alone."""
        value = super().get()
        # What it read may go back to its pile.
        self._convolve = None
        return value

    def add_relu(self, skip: Any) -> Any:
        """ReLU of it plus `skip`, flat."""
        assert self._convolve is not None
        assert not self.rectified
        return self._convolve(Ending(skip=skip))

    def put(self, place: Place, take: Callable[[], Any]) -> None:
        """Run it into that place; take() gives it to whoever reads it later on."""
        assert self._convolve is not None
        self._convolve(Ending(place=place))
        self._compute, self._convolve = take, None
