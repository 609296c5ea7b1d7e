"""Random bits as a function of a key and a position, alike on every engine and for any number of threads."""

from __future__ import annotations

from typing import Any

Array = Any


def _scramble(xp: Any, x: Array) -> Array:
    # The finaliser of MurmurHash3 (Appleby 2011): each input bit flips each output bit half the time.
    x = (x ^ (x >> xp.uint32(16))) * xp.uint32(0x85EBCA6B)
    x = (x ^ (x >> xp.uint32(13))) * xp.uint32(0xC2B2AE35)
    return x ^ (x >> xp.uint32(16))


def uniform_bits(xp: Any, key: Array, count: int) -> Array:
    """(count,) uint32, uniform; `key` is (2,) uint32: a seed and a step."""
    key = xp.asarray(key, dtype=xp.uint32)
    # Slices, not scalars: wrap-around is meant, and NumPy warns of it on scalars only.
    stream = _scramble(xp, key[:1] ^ _scramble(xp, key[1:] + xp.uint32(0x9E3779B9)))
    place = xp.arange(count, dtype=xp.uint32) * xp.uint32(0x9E3779B1)
    return _scramble(xp, _scramble(xp, place + stream) ^ stream)
