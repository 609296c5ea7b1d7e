"""Where arrays lie: pictures are divided among the devices, all else is on each of them.

A step is compiled for all devices at once and says nothing of them: a mean over the batch is one over the
whole batch wherever its pictures lie, so batch normalisation, loss and gradients are those of one device.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

Array = Any


class Placement:
    """The devices of a job as one line, along which batches are divided."""

    def __init__(self, devices: tuple[Any, ...]) -> None:
        mesh = Mesh(np.array(devices), ("pictures",), axis_types=(AxisType.Auto,))
        self.count = len(devices)
        self._hosts = len({device.process_index for device in devices})
        self.everywhere = NamedSharding(mesh, PartitionSpec())
        self._divided = NamedSharding(mesh, PartitionSpec("pictures"))

    def arguments(self, value: Any) -> Any:
        """A step's argument: variables, trees of dictionaries, go everywhere; arrays are divided."""
        if isinstance(value, dict):
            return jax.tree.map(self.copied, value)
        if isinstance(value, (tuple, list)):
            return type(value)(map(self.arguments, value))
        return self.divided(value) if isinstance(value, (np.ndarray, jax.Array)) else value

    def divided(self, x: Array) -> Array:
        """x (N, ...), each device its share; on each the whole where N cannot be divided evenly.

        Of several processes each gives its rows, which are as many in all of them.
        """
        if self._hosts > 1 and x.ndim and (isinstance(x, np.ndarray) or x.is_fully_addressable):
            return jax.make_array_from_process_local_data(self._divided, _canonical(x))
        return self._put(x, self._divided) if x.ndim and len(x) % self.count == 0 else self.copied(x)

    def copied(self, x: Array) -> Array:
        """x, the whole of it on each device."""
        return self._put(x, self.everywhere)

    def _put(self, x: Array, sharding: Any) -> Array:
        if isinstance(x, jax.Array) and x.sharding.is_equivalent_to(sharding, x.ndim):
            return x
        if sharding.is_fully_addressable:
            return jax.device_put(x, sharding)
        if isinstance(x, jax.Array) and not x.is_fully_addressable:
            return jax.jit(lambda x: x, out_shardings=sharding)(x)
        # Every process has the whole, and gives what its own devices need.
        x = _canonical(np.asarray(x))
        return jax.make_array_from_callback(x.shape, sharding, lambda index: x[index])


def _canonical(x: Array) -> Array:
    """x in the type that JAX keeps it in."""
    return x.astype(jax.dtypes.canonicalize_dtype(x.dtype), copy=False) if isinstance(x, np.ndarray) else x
