"""Operations on all variables of a network at once: what the kernels of `updates` are given."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.updates import optimizers as updates
from residua.engines.numba.kernels.updates import reductions, table
from residua.engines.numba.lazy.materialize import FinishingEngine, taken
from residua.engines.numba.operations.batches import LoadKernels
from residua.engines.numba.planning.convolution import MOST_PARTS
from residua.engines.numba.runtime.context import double
from residua.engines.numba.runtime.memory import ALIGNMENT
from residua.engines.numba.runtime.memory import address as address_of

Array = NDArray[Any]
Arrays = Sequence[Any]
PIECE = 1 << 14  # numbers
MOST_PIECES = 16  # of one array
LINE = ALIGNMENT // 4


@lru_cache(maxsize=256)
def _layout(sizes: tuple[int, ...]) -> tuple[Array, Array, Array, Array, Array, int]:
    """Pieces: their arrays, first numbers and counts; the parts' first pieces; where in a flat array."""
    which, offset, count = [], [], []
    for number, size in enumerate(sizes):
        piece = max(PIECE, -(-size // MOST_PIECES))
        piece = -(-piece // LINE) * LINE
        for first in range(0, size, piece):
            which.append(number)
            offset.append(first)
            count.append(min(piece, size - first))
    parts = max(1, min(MOST_PARTS, sum(sizes) // PIECE, len(which)))
    done = np.concatenate([[0], np.cumsum(count)])
    starts = np.searchsorted(done, np.arange(parts + 1) * done[-1] / parts).astype(np.int64)
    starts[-1] = len(which)
    places = np.concatenate([[0], np.cumsum([-(-size // LINE) * LINE for size in sizes])]).astype(np.int64)
    return (
        np.array(which, np.int64),
        np.array(offset, np.int64),
        np.array(count, np.int64),
        starts,
        places,
        parts,
    )


class VariableKernels(LoadKernels):
    """mix, scale, norm, finite and the optimisers."""

    def _block(
        self, arrays: Sequence[Sequence[int]], decays: Array, sizes: tuple[int, ...], numbers: Sequence[int]
    ) -> tuple[Array, int]:
        """A kernel's block and its parts. `arrays`: addresses, one list for every column."""
        which, offset, count, starts, _, parts = _layout(sizes)
        columns = table.FIRST + len(arrays)
        rows = np.empty((len(which), columns), np.int64)
        rows[:, table.COUNT] = count
        rows[:, table.DECAY] = decays.view(np.int64)[which]
        for column, addresses in enumerate(arrays, start=table.FIRST):
            rows[:, column] = np.asarray(addresses, np.int64)[which] + 4 * offset
        head = np.zeros(table.STARTS + len(starts), np.int64)
        head[:4] = parts, len(which), len(head), columns
        head[4 : 4 + len(numbers)] = numbers
        head[table.STARTS :] = starts
        return np.concatenate([head, rows.reshape(-1)]), parts

    def _ready(self, arrays: Arrays) -> list[Array] | None:
        """The arrays as a kernel can read them; None where one is of another kind."""
        found = [self.plain(array) for array in arrays]
        return [self.tidy(array) for array in found] if found and _ours(found) else None

    def _change(
        self,
        rule: int,
        given: Sequence[Sequence[Array]],
        outputs: int,
        rate: Any,
        numbers: Sequence[int] = (),
        decays: Sequence[float] = (),
        decoupled: bool = False,
    ) -> tuple[list[Array], ...]:
        """One kernel over all arrays; the results lie in one flat array for every output."""
        machine = self.machine
        sizes = tuple(array.size for array in given[0])
        places = _layout(sizes)[4]
        made = [machine.take(int(places[-1])) for _ in range(outputs)]
        columns: list[Any] = [[address_of(array) for array in arrays] for arrays in given]
        columns += [address_of(flat) + 4 * places[:-1] for flat in made]
        rate = machine.number(rate)
        weigh = np.array(decays or np.zeros(len(sizes)), np.float64)
        block, parts = self._block(columns, weigh, sizes, (address_of(rate), *numbers))
        machine.run(updates.update, block, parts, (rule, len(given), outputs, int(decoupled)), True)
        return tuple(
            [
                flat[place : place + array.size].reshape(array.shape)
                for array, place in zip(given[0], places, strict=False)
            ]
            for flat in made
        )

    def _concluded(self, what: int, arrays: list[Array]) -> Array:
        machine = self.machine
        sizes = tuple(array.size for array in arrays)
        pieces = len(_layout(sizes)[0])
        found, result = machine.take(pieces, np.float64), machine.take(1)
        numbers = (address_of(found),)
        block, parts = self._block([list(map(address_of, arrays))], np.zeros(len(sizes)), sizes, numbers)
        machine.run(reductions.reduce_pieces, block, parts, (what, 0, 0, 0), True)
        last = (1, pieces, address_of(found), address_of(result))
        machine.run(reductions.combine, last, 1, (what, 0, 0, 0), True)
        return result.reshape(())

    # ------------------------------------------------------------------ the vocabulary
    def mix(self, old: Arrays, new: Arrays, share: Any) -> list[Array]:
        given = self._ready([*old, *new])
        if given is None:
            return super().mix(old, new, share)
        return self._change(updates.MIX, (given[: len(old)], given[len(old) :]), 1, self.plain(share))[0]

    def scale(self, arrays: Arrays, factor: Any) -> list[Array]:
        given = self._ready(arrays)
        if given is None:
            return super().scale(arrays, factor)
        return self._change(updates.SCALE, (given,), 1, self.plain(factor))[0]

    def norm(self, arrays: Arrays) -> Array:
        given = self._ready(arrays)
        return super().norm(arrays) if given is None else self._concluded(reductions.SQUARES, given)

    def finite(self, arrays: Arrays) -> Array:
        # Whole numbers are always finite.
        plain = [self.plain(array) for array in arrays]
        floating = [array for array in plain if array.dtype.kind == "f"]
        given = self._ready(floating)
        return super().finite(floating) if given is None else self._concluded(reductions.ZEROS, given)

    def sgd(
        self,
        weights: Arrays,
        velocities: Arrays,
        gradients: Arrays,
        rate: Any,
        *,
        decays: Sequence[float],
        **options: Any,
    ) -> tuple[list[Array], ...]:
        numbers = (double(options["momentum"]), double(options["nesterov"]))
        given = (weights, velocities, gradients)
        return self._optimise(updates.SGD, "sgd", given, rate, numbers, decays, options)

    def adam(
        self,
        weights: Arrays,
        firsts: Arrays,
        seconds: Arrays,
        gradients: Arrays,
        rate: Any,
        *,
        decays: Sequence[float],
        **options: Any,
    ) -> tuple[list[Array], ...]:
        count = self.machine.number(self.plain(options["count"]), np.int64)
        betas = (double(options[name]) for name in ("beta1", "beta2", "eps"))
        given = (weights, firsts, seconds, gradients)
        return self._optimise(
            updates.ADAM, "adam", given, rate, (*betas, address_of(count)), decays, options | {"count": count}
        )

    def rmsprop(
        self,
        weights: Arrays,
        squares: Arrays,
        velocities: Arrays,
        gradients: Arrays,
        rate: Any,
        *,
        decays: Sequence[float],
        **options: Any,
    ) -> tuple[list[Array], ...]:
        numbers = tuple(double(options[name]) for name in ("alpha", "momentum", "eps"))
        given = (weights, squares, velocities, gradients)
        return self._optimise(updates.RMSPROP, "rmsprop", given, rate, numbers, decays, options)

    def _optimise(
        self,
        rule: int,
        name: str,
        given: tuple[Arrays, ...],
        rate: Any,
        numbers: Sequence[int],
        decays: Sequence[float],
        options: dict[str, Any],
    ) -> tuple[list[Array], ...]:
        ready = [self._ready(arrays) for arrays in given]
        rate = self.plain(rate)
        if None in ready:
            reference = getattr(FinishingEngine, name)
            found: tuple[list[Array], ...] = reference(self, *given, rate, decays=decays, **options)
            return found
        outputs = len(given) - 1
        return self._change(rule, ready, outputs, rate, numbers, decays, options["decoupled"])  # type: ignore[arg-type]


def _ours(arrays: list[Any]) -> bool:
    """Whether kernels take all of these."""
    return all(isinstance(array, np.ndarray) for array in arrays) and taken(*arrays)
