"""Several processes as one job, by `jax.distributed`: how they find each other, and what they say.

Numbers go from device to device; words go through the coordinator, a table of keys that host 0 keeps.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from residua.engines.jax.placement import Placement
from residua.errors import ConfigError, EngineError, one_line

Array = Any

LOOK_MILLISECONDS = 500  # how long one request waits for a word
# JAX's own watch ends processes with a page of its internals; ours, which says who is gone, is much quicker.
_HEARTBEAT_SECONDS = 100
_NOT_YET = ("DEADLINE_EXCEEDED", "NOT_FOUND")


def join_hosts(count: int | None, number: int | None, address: str | None, wait_seconds: float) -> None:
    """Become one of `count` processes, the number-th of them; None for what Slurm, Open MPI or a TPU tell.

    address: host:port at which process 0 listens. Where some do not come within the time, JAX ends this
    process (SIGABRT). Raises EngineError where JAX computes already, ConfigError where nothing tells.
    """
    jax.config.update("jax_enable_preemption_service", False)  # SIGTERM is ours to answer
    how = None if count is None else "deactivate"
    if count is None and "OMPI_COMM_WORLD_SIZE" in os.environ and "OMPI_MCA_orte_hnp_uri" not in os.environ:
        # Open MPI 5 no longer says what JAX looks for.
        how = "mpi4py" if find_spec("mpi4py") else None
    try:
        with without_proxies():
            jax.distributed.initialize(
                address,
                count,
                number,
                cluster_detection_method=how,
                initialization_timeout=max(1, round(wait_seconds)),
                heartbeat_timeout_seconds=_HEARTBEAT_SECONDS,
            )
    except ValueError as problem:
        if "should be defined" not in str(problem) and "must be defined" not in str(problem):
            raise
        raise ConfigError(
            "--hosts auto finds neither Slurm, nor Open MPI, nor a TPU: say --hosts NUMBER --host-id NUMBER "
            "--coordinator ADDRESS"
        ) from None
    except RuntimeError as problem:
        raise EngineError(f"JAX cannot join the hosts: {one_line(problem)}") from None


@contextlib.contextmanager
def without_proxies() -> Iterator[None]:
    """The way to the coordinator is never by a proxy; what else asks for one finds it again."""
    names = [name for name in os.environ if name.lower().endswith("_proxy")]
    kept = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(kept)


def leave_hosts() -> None:
    """Be one of them no longer: once all have come to this point."""
    jax.distributed.shutdown()


def place_among_hosts() -> tuple[int, int]:
    """This process's number, and how many there are."""
    return jax.process_index(), jax.process_count()


class Messages:
    """Words by keys, which every host sets and reads. Raises RuntimeError where host 0 does not answer."""

    def __init__(self) -> None:
        from jax._src.distributed import global_state  # the one way to it, which checkpoint libraries take

        self._client: Any = global_state.client

    def put(self, key: str, text: bytes, again: bool = False) -> None:
        """Set a word; again: instead of the one there was."""
        self._client.key_value_set_bytes(key, b"=" + text, again)

    def look(self, key: str) -> bytes | None:
        """The word, waited for for a moment; None where there is none yet."""
        try:
            found = self._client.blocking_key_value_get_bytes(key, LOOK_MILLISECONDS)
        except Exception as problem:  # of a class that changes with JAX's versions
            if any(word in str(problem) for word in _NOT_YET):
                return None
            raise RuntimeError(one_line(problem)) from None
        return bytes(found[1:])

    def all(self, folder: str) -> dict[str, bytes]:
        """Every word whose key begins with folder/, without that."""
        try:
            found = self._client.key_value_dir_get_bytes(f"{folder}/")
        except Exception as problem:
            raise RuntimeError(one_line(problem)) from None
        return {key.rpartition("/")[2]: bytes(value[1:]) for key, value in found}

    def remove(self, key: str) -> None:
        """Forget a word."""
        self._client.key_value_delete(key)


def gather_arrays(array: Array) -> Array:
    """(hosts, ...) what each gives, all of one shape: their bytes, as devices may know fewer types."""
    own = np.array(array, order="C")  # which leaves single numbers as they are
    every = multihost_utils.process_allgather(_padded(own))
    return np.stack([_shaped(row, own) for row in np.asarray(every)])


def share_array(array: Array) -> Array:
    """Host 0's array; what the others give says its shape."""
    own = np.array(array, order="C")  # which leaves single numbers as they are
    return _shaped(np.asarray(multihost_utils.broadcast_one_to_all(_padded(own))), own)


def _padded(array: Array) -> Array:
    """The bytes, up to a power of two: so few programs serve arrays of all sizes."""
    flat = array.reshape(-1).view(np.uint8)
    room = np.zeros(max(1024, 1 << max(0, len(flat) - 1).bit_length()), np.uint8)
    room[: len(flat)] = flat
    return room


def _shaped(flat: Array, like: Array) -> Array:
    return np.array(flat[: like.nbytes]).view(like.dtype).reshape(like.shape)


def make_any() -> Callable[[bool], Array]:
    """A program that says whether any host says yes; its answer is read later, by `numpy.asarray`."""
    placement = Placement(tuple(jax.devices()))
    program = jax.jit(lambda flags: flags.any(), out_shardings=placement.everywhere)
    here = jax.local_device_count()

    def ask(flag: bool) -> Array:
        return program(placement.divided(np.full(here, flag)))

    return ask
