"""Winograd's way for many channels on the host's side: which products its three steps are."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels import pictures, winograd_large
from residua.engines.numba.kernels.tiles import GAP
from residua.engines.numba.kernels.transforms import PLACES
from residua.engines.numba.machine import Machine
from residua.engines.numba.memory import address as address_of
from residua.engines.numba.plans import Plan

Array = NDArray[Any]
PANEL = 256  # columns of a product that are a part of their own


def _matrices(machine: Machine, p: Plan, channels: int) -> Array:
    return machine.take(PLACES * (p.chunk * channels + GAP))


def _multiply(
    machine: Machine, a: tuple[int, ...], b: tuple[int, ...], c: tuple[int, ...], sizes: tuple[int, ...]
) -> None:
    """A place's product for all places. `sizes`: rows, columns, inner."""
    panels = max(1, sizes[1] // PANEL)
    block = (PLACES * panels, panels, *sizes, *a, *b, *c)
    machine.run(winograd_large.multiply, block, PLACES * panels)


def forward(machine: Machine, block: Array, p: Plan, statistics: bool) -> None:
    """y, and its sums with `statistics`."""
    v, m = _matrices(machine, p, p.c), _matrices(machine, p, p.k)
    block[pictures.V], block[pictures.M] = address_of(v), address_of(m)
    machine.run(
        winograd_large.scatter, block, p.parts, (p.c, p.k, winograd_large.X_ONLY, 0), False, p.scratch
    )
    xv, xm = p.chunk * p.c + GAP, p.chunk * p.k + GAP
    u = int(block[pictures.WEIGHT])
    _multiply(
        machine, (address_of(v), xv, p.c, 1), (u, p.c * p.k, p.k), (address_of(m), xm, p.k),
        (p.chunk, p.k, p.c),
    )  # fmt: skip
    machine.run(winograd_large.gather, block, p.parts, (p.c, p.k, int(statistics), 0), False, p.scratch)


def backward(machine: Machine, block: Array, p: Plan, want_dx: bool, want_dweight: bool) -> None:
    """dx and dU."""
    v, m = _matrices(machine, p, p.c), _matrices(machine, p, p.k)
    block[pictures.V], block[pictures.M] = address_of(v), address_of(m)
    literals = (p.c, p.k, winograd_large.BOTH, 0)
    machine.run(winograd_large.scatter, block, p.parts, literals, False, p.scratch)
    xv, xm = p.chunk * p.c + GAP, p.chunk * p.k + GAP
    area = p.c * p.k
    if want_dweight:
        du = int(block[pictures.WEIGHT_GRADIENT])
        _multiply(
            machine, (address_of(v), xv, 1, p.c), (address_of(m), xm, p.k), (du, area, p.k),
            (p.c, p.k, p.tiles),
        )  # fmt: skip
    if want_dx:
        _multiply(
            machine, (address_of(m), xm, p.k, 1), (int(block[pictures.WEIGHT]), area, p.c),
            (address_of(v), xv, p.c), (p.chunk, p.c, p.k),
        )  # fmt: skip
        machine.run(winograd_large.gather_gradient, block, p.parts, literals, False, p.scratch)
