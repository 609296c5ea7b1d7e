"""Sums over machines: of large arrays with as few bytes as can be, of small ones with as few messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

IN_PIECES = 2**16  # bytes from which it is worth its messages
_PIECE = 2**19  # bytes of a message
_TAG = 73  # of the messages of small sums


def sum_by_doubling(comm: Any, wait: Callable[[Any], None], own: NDArray[Any]) -> NDArray[Any]:
    """The sum over all processes of what each gives: contiguous, of one shape, and the same bytes in all.

    In the k-th round a process exchanges what it has with the one 2^(k - 1) away, and both add the same two
    numbers: log2 R rounds (Thakur, Rabenseifner and Gropp 2005, Optimization of collective communication
    operations in MPICH, section 4.5). An all-reduce of Open MPI 5 that does not block takes 2 log2 R, up a
    tree and down again. Of more processes than a power of two the others give to a neighbour first and hear
    from it last. wait: for a request.
    """
    size, rank = comm.Get_size(), comm.Get_rank()
    power = 1 << (size.bit_length() - 1)
    pairs = size - power  # the first processes, two by two, of which the second rests
    total, other = own, np.empty_like(own)
    if rank < 2 * pairs and rank % 2:
        wait(comm.Isend(total, rank - 1, _TAG))
        wait(comm.Irecv(other, rank - 1, _TAG))
        return other
    if rank < 2 * pairs:
        wait(comm.Irecv(other, rank + 1, _TAG))
        total = total + other
    place = rank // 2 if rank < 2 * pairs else rank - pairs
    step = 1
    while step < power:
        far = place ^ step
        peer = 2 * far if far < pairs else far + pairs
        sending = comm.Isend(total, peer, _TAG)
        wait(comm.Irecv(other, peer, _TAG))
        wait(sending)
        total = total + other  # which of the two is whose does not matter to a sum of two
        step *= 2
    if rank < 2 * pairs:
        wait(comm.Isend(total, rank + 1, _TAG))
    return total


def sum_in_pieces(comm: Any, wait: Callable[[Any], None], flat: NDArray[Any]) -> None:
    """Put the sum over all processes into `flat`: (N,), contiguous.

    Of every block each process adds up its piece of what all give, in their order, and gives all the sum: of
    B bytes each sends and receives 2 (R - 1) / R B, the least there is (Patarasuk and Yuan 2009, Bandwidth
    optimal all-reduce algorithms for clusters of workstations, section 3). An all-reduce of Open MPI 5 that
    does not block sends whole arrays up and down a tree, 2 log2 R times. Several blocks are under way, so
    that a message's beginning, which is agreed on, does not leave the network idle. wait: for a request.
    """
    each = max(1, _PIECE * comm.Get_size() // flat.itemsize)
    blocks = [_Block(comm, flat[start : start + each]) for start in range(0, len(flat), each)]
    for block in blocks:
        wait(block.exchange)
        block.give()
    for block in blocks:
        wait(block.gather)


class _Block:
    """Numbers that are added up together: each process has a piece of them."""

    def __init__(self, comm: Any, flat: NDArray[Any]) -> None:
        size, rank = comm.Get_size(), comm.Get_rank()
        bounds = [len(flat) * place // size for place in range(size + 1)]
        self.comm, self.flat, self.shares = comm, flat, (np.diff(bounds).tolist(), bounds[:-1])
        own = self.shares[0][rank]
        self.pieces = np.empty((size, own), flat.dtype)
        places = [own] * size, [own * place for place in range(size)]
        self.exchange = comm.Ialltoallv([flat, self.shares], [self.pieces, places])
        self.gather: Any = None

    def give(self) -> None:
        """Add up this process's piece, and send it to all."""
        total = self.pieces[0]
        for piece in self.pieces[1:]:
            total += piece
        self.gather = self.comm.Iallgatherv(total, [self.flat, self.shares])
