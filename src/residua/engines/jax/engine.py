"""The JAX engine: the whole vocabulary as functions that JAX compiles, for CPUs, GPUs and TPUs.

What is not here is the vocabulary's own, over `jax.numpy`. The way back is written out as on every engine;
of convolutions and means it is JAX's transpose of the way forward.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from residua.engines.jax import convolution, features, normalization, pooling
from residua.engines.jax.batches import HeldPictures, make_windows
from residua.engines.jax.devices import find_devices, keep_programs, remarks
from residua.engines.jax.placement import Placement
from residua.engines.jax.precision import check_precision, exact_products, wide
from residua.engines.jax.programs import as_programs
from residua.engines.vocabulary.core import Array, Engine, Saved


@as_programs
class JaxEngine(Engine):
    """JAX: what computes on a GPU, or on several."""

    name = "jax"
    xp = jnp
    behind = 4
    fixed_batches = True

    def __init__(
        self, threads: int | None = None, precision: str = "float32", all_hosts: bool = False
    ) -> None:
        """threads: said for completeness; XLA takes the cores that the process may use.

        precision: of products, "float32", "tf32" or "bfloat16". all_hosts: a compiled step is computed by all
        processes of a job, each of which gives its rows of every array.
        """
        super().__init__(threads)
        self.precision = check_precision(precision)
        self.devices = find_devices(all_hosts)
        self.remarks = remarks(self.devices)
        keep_programs(self.devices)
        self.divides = len(self.devices)
        self._there: Array | None = None
        self._placement = Placement(self.devices) if len(self.devices) > 1 else None
        self._pictures = HeldPictures(
            self.devices, jax.device_put if self._placement is None else self._placement.copied
        )
        self._windows = make_windows(None if self._placement is None else self._placement.everywhere)

    # ------------------------------------------------------------------ values
    def compile(self, step: Callable[..., Any], donate: Sequence[str] = ()) -> Callable[..., Any]:
        @functools.wraps(step)
        def traced(*arguments: Any, **options: Any) -> Any:
            with exact_products(self.precision):
                return step(*arguments, **options)

        compiled: Callable[..., Any]
        if (placement := self._placement) is None:
            compiled = jax.jit(traced, donate_argnames=tuple(donate))
            return compiled
        compiled = jax.jit(traced, donate_argnames=tuple(donate), out_shardings=placement.everywhere)

        def placed(*arguments: Any, **options: Any) -> Any:
            here = {name: placement.arguments(value) for name, value in options.items()}
            return compiled(*map(placement.arguments, arguments), **here)

        return placed

    def counted(self, labels: Array, compute: Callable[[], Any]) -> Any:
        if not isinstance(labels, jax.core.Tracer):
            return compute()
        before, self._there = self._there, labels >= 0
        try:
            return compute()
        finally:
            self._there = before

    def when(self, flag: Array, compute: Callable[[], Any], otherwise: Any) -> Any:
        if not isinstance(flag, jax.core.Tracer):
            return super().when(flag, compute, otherwise)
        # Both sides in the types of what there was before.
        typed = jax.tree.map(jnp.asarray, otherwise)

        def computed() -> Any:
            return jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), compute(), typed)

        return lax.cond(flag, computed, lambda: typed)

    # ------------------------------------------------------------------ convolution
    def conv2d(
        self, x: Array, weight: Array, bias: Array | None, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Array, Saved]:
        convolution.check(x, weight, padding)
        return convolution.forward(self, x, weight, bias, stride=stride, padding=padding, relu=relu)

    def conv2d_backward(
        self, dy: Array, weight: Array, saved: Saved, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Array, Array, Array]:
        return convolution.backward(self, dy, weight, saved, stride=stride, padding=padding, relu=relu)

    def transposed_conv2d(
        self, x: Array, weight: Array, bias: Array | None, *, stride: int, padding: int, extra: int = 0
    ) -> tuple[Array, Saved]:
        options = {"stride": stride, "padding": padding, "extra": extra}
        return convolution.transposed_forward(self, x, weight, bias, **options)

    def transposed_conv2d_backward(
        self, dy: Array, weight: Array, saved: Saved, *, stride: int, padding: int, extra: int = 0
    ) -> tuple[Array, Array, Array]:
        return convolution.transposed_backward(self, dy, weight, saved, stride=stride, padding=padding)

    def grouped_conv2d(
        self,
        x: Array,
        weight: Array,
        bias: Array | None,
        *,
        groups: int,
        stride: int,
        padding: int,
        relu: bool = False,
    ) -> tuple[Array, Saved]:
        convolution.check(x, weight, padding, groups)
        options: dict[str, Any] = {"stride": stride, "padding": padding, "relu": relu, "groups": groups}
        return convolution.forward(self, x, weight, bias, **options)

    def grouped_conv2d_backward(
        self,
        dy: Array,
        weight: Array,
        saved: Saved,
        *,
        groups: int,
        stride: int,
        padding: int,
        relu: bool = False,
    ) -> tuple[Array, Array, Array]:
        options: dict[str, Any] = {"stride": stride, "padding": padding, "relu": relu, "groups": groups}
        return convolution.backward(self, dy, weight, saved, **options)

    def depthwise_conv2d(
        self, x: Array, weight: Array, bias: Array | None, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Array, Saved]:
        kernel, groups = weight[:, :, None, :], weight.shape[2]
        convolution.check(x, kernel, padding, groups)
        options: dict[str, Any] = {"stride": stride, "padding": padding, "relu": relu, "groups": groups}
        return convolution.forward(self, x, kernel, bias, **options)

    def depthwise_conv2d_backward(
        self, dy: Array, weight: Array, saved: Saved, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Array, Array, Array]:
        options = {"stride": stride, "padding": padding, "relu": relu, "groups": weight.shape[2]}
        dx, dweight, dbias = convolution.backward(self, dy, weight[:, :, None, :], saved, **options)
        return dx, dweight[:, :, 0], dbias

    # ------------------------------------------------------------------ normalisation
    def batch_norm(
        self, x: Array, scale: Array | None, shift: Array | None, *, eps: float, relu: bool = False
    ) -> tuple[Array, Array, Array, Saved]:
        there = self._there if self._there is not None and len(self._there) == len(x) else None
        return normalization.forward(x, scale, shift, eps, relu, there)

    def batch_norm_backward(
        self, dy: Array, scale: Array | None, saved: Saved, *, relu: bool = False
    ) -> tuple[Array, Array, Array]:
        return normalization.backward(dy, scale, saved, relu)

    # ------------------------------------------------------------------ pooling and shape
    def max_pool(self, x: Array, *, kernel: int, stride: int, padding: int) -> tuple[Array, Saved]:
        pooling.check(x, kernel, stride, padding)
        y = pooling.largest(x, kernel, stride, padding)
        return y, (x, y)

    def max_pool_backward(self, dy: Array, saved: Saved, *, kernel: int, stride: int, padding: int) -> Array:
        x, y = saved
        return pooling.largest_backward(dy, x, y, (kernel, stride, padding))

    def average_pool(self, x: Array, *, kernel: int, stride: int, padding: int) -> tuple[Array, Saved]:
        pooling.check(x, kernel, stride, padding)
        y = pooling.sums(wide(x), kernel, stride, padding) / (kernel * kernel)
        return y.astype(x.dtype), x.shape

    def average_pool_backward(
        self, dy: Array, saved: Saved, *, kernel: int, stride: int, padding: int
    ) -> Array:
        share = wide(dy) / (kernel * kernel)
        like = jax.ShapeDtypeStruct(saved, share.dtype)
        return pooling.sums_backward(share, like, kernel, stride, padding).astype(dy.dtype)

    def global_average_pool(self, x: Array) -> tuple[Array, Saved]:
        return wide(x).mean(axis=(1, 2)), (x.shape, x.dtype)

    def global_average_pool_backward(self, dy: Array, saved: Saved) -> Array:
        shape, dtype = saved
        share = (dy / (shape[1] * shape[2])).astype(dtype)
        return jnp.broadcast_to(share[:, None, None, :], shape)

    def subsample_pad(self, x: Array, *, channels: int, stride: int) -> tuple[Array, Saved]:
        kept, more = x[:, ::stride, ::stride], channels - x.shape[-1]
        before = more // 2
        return jnp.pad(kept, ((0, 0), (0, 0), (0, 0), (before, more - before))), x.shape

    def subsample_pad_backward(self, dy: Array, saved: Saved, *, channels: int, stride: int) -> Array:
        before, (_, height, width, count) = (channels - saved[-1]) // 2, saved
        return pooling.spread(dy[..., before : before + count], (0, 0), stride, (height, width))

    # ------------------------------------------------------------------ features
    def linear(self, x: Array, weight: Array, bias: Array | None) -> tuple[Array, Saved]:
        return features.linear(self, x, weight, bias)

    def linear_backward(self, dy: Array, weight: Array, saved: Saved) -> tuple[Array, Array, Array]:
        return features.linear_backward(self, dy, weight, saved)

    # ------------------------------------------------------------------ batches
    def crop_and_flip(
        self,
        pixels: Array,
        indices: Array,
        down: Array,
        right: Array,
        mirrored: Array,
        size: tuple[int, int],
        scale: Array,
        shift: Array,
    ) -> Array:
        pixels, places = self._pictures.take(pixels, indices)
        if self._placement is not None:
            pixels = self._placement.copied(pixels)
        return self._windows(pixels, places, down, right, mirrored, tuple(size), scale, shift)
