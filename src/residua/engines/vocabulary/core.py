"""The vocabulary that layers speak: what an engine must be able to compute.

Pictures are (N, H, W, C), kernels (height, width, in, out), features (N, C), labels (N,) integers.
Operations come in pairs: `op(x, ...) -> y, saved` and `op_backward(dy, ..., saved) -> dx, ...`. What
`saved` holds is the engine's own business. `dname` is the gradient of the loss by `name`.

No operation writes to its arguments. Activations and gradients are opaque to layers: an engine may keep
them unfinished and complete them inside the operation that reads them (`plain` completes one at once).
What is rarely slow is written here, once, over `self.xp`, the engine's NumPy-like module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from residua.cores import available_cores
from residua.engines.vocabulary import rare as more_operations
from residua.engines.vocabulary.counter_random import uniform_bits
from residua.engines.vocabulary.variables import VariableOperations
from residua.errors import ShapeError

Array = Any
Saved = Any


class Engine(VariableOperations, more_operations.MoreOperations, ABC):
    """An engine computes; layers say what. Subclasses give `xp` and the abstract operations."""

    name: ClassVar[str]
    xp: Any

    def __init__(self, threads: int | None = None) -> None:
        """threads: how many to compute with; None for the cores there are."""
        self.threads = threads or available_cores()

    # ------------------------------------------------------------------ values
    def share(self, x: Array) -> Array:
        """Hint that `x` will have several readers."""
        return x

    def plain(self, x: Array) -> Array:
        """`x` as an ordinary array of this engine: to look at, to index, to hand on."""
        return x

    def size(self, x: Array) -> int:
        """How many numbers `x` holds."""
        return int(x.size)

    def compile(self, step: Callable[..., Any], donate: Sequence[str] = ()) -> Callable[..., Any]:
        """`step` made ready to be called often; the arguments named in `donate` may be overwritten."""
        return step

    def apply(self, function: Callable[..., Any], *values: Array) -> Any:
        """function(xp, *values), for what the vocabulary has no word for; it depends on nothing else."""
        return function(self.xp, *map(self.plain, values))

    def when(self, flag: Array, compute: Callable[[], Any], otherwise: Any) -> Any:
        """`compute()` if `flag` holds, else `otherwise`: trees of the same structure."""
        return compute() if flag else otherwise

    # ------------------------------------------------------------------ convolution
    @abstractmethod
    def conv2d(
        self, x: Array, weight: Array, bias: Array | None, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Array, Saved]:
        """y[n,i,j,o] = bias[o] + sum over u,v,c of x[n, i s + u - p, j s + v - p, c] weight[u,v,c,o].

        s is the stride, p the padding; outside the picture x is zero. `relu` rectifies y.
        """

    @abstractmethod
    def conv2d_backward(
        self, dy: Array, weight: Array, saved: Saved, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Array, Array, Array]:
        """Gradients dx, dweight, dbias of `conv2d`."""

    def conv_norm(
        self,
        x: Array,
        weight: Array,
        scale: Array,
        shift: Array,
        *,
        stride: int,
        padding: int,
        eps: float,
        relu: bool,
    ) -> tuple[Array, Array, Array, Saved]:
        """Convolution without bias, batch normalisation and, by option, ReLU: y, mean, var, saved."""
        z, saved_conv = self.conv2d(x, weight, None, stride=stride, padding=padding)
        y, mean, var, saved_norm = self.batch_norm(z, scale, shift, eps=eps, relu=relu)
        return y, mean, var, (saved_conv, saved_norm)

    def conv_norm_backward(
        self, dy: Array, weight: Array, scale: Array, saved: Saved, *, stride: int, padding: int, relu: bool
    ) -> tuple[Array, Array, Array, Array]:
        """Gradients dx, dweight, dscale, dshift of `conv_norm`."""
        saved_conv, saved_norm = saved
        dz, dscale, dshift = self.batch_norm_backward(dy, scale, saved_norm, relu=relu)
        dx, dweight, _ = self.conv2d_backward(dz, weight, saved_conv, stride=stride, padding=padding)
        return dx, dweight, dscale, dshift

    # ------------------------------------------------------------------ normalisation
    def batch_norm(
        self, x: Array, scale: Array, shift: Array, *, eps: float, relu: bool = False
    ) -> tuple[Array, Array, Array, Saved]:
        """y = (x - mean) / sqrt(var + eps) * scale + shift per channel (the last axis), then ReLU by option.

        `mean` and `var` (biased) are the batch's own (Ioffe and Szegedy 2015, algorithm 1).
        """
        axes = tuple(range(x.ndim - 1))
        mean = x.mean(axis=axes)
        centred = x - mean
        var = (centred * centred).mean(axis=axes)
        inverse = 1 / self.xp.sqrt(var + eps)
        normalized = centred * inverse
        y = normalized * scale + shift
        if relu:
            y = self.xp.maximum(y, 0)
        return y, mean, var, (normalized, inverse, y if relu else None)

    def batch_norm_backward(
        self, dy: Array, scale: Array, saved: Saved, *, relu: bool = False
    ) -> tuple[Array, Array, Array]:
        """Gradients dx, dscale, dshift of `batch_norm`."""
        normalized, inverse, y = saved
        if relu:
            dy = dy * (y > 0)
        axes = tuple(range(dy.ndim - 1))
        count = normalized.size // normalized.shape[-1]
        dshift = dy.sum(axis=axes)
        dscale = (dy * normalized).sum(axis=axes)
        dx = scale * inverse * (dy - dshift / count - normalized * (dscale / count))
        return dx, dscale, dshift

    def scale_shift(self, x: Array, scale: Array, shift: Array, *, relu: bool = False) -> tuple[Array, Saved]:
        """y = x * scale + shift per channel, then ReLU by option: a frozen normalisation."""
        y = x * scale + shift
        if relu:
            y = self.xp.maximum(y, 0)
        return y, (x, y if relu else None)

    def scale_shift_backward(
        self, dy: Array, scale: Array, saved: Saved, *, relu: bool = False
    ) -> tuple[Array, Array, Array]:
        """Gradients dx, dscale, dshift of `scale_shift`."""
        x, y = saved
        if relu:
            dy = dy * (y > 0)
        axes = tuple(range(dy.ndim - 1))
        return dy * scale, (dy * x).sum(axis=axes), dy.sum(axis=axes)

    # ------------------------------------------------------------------ activation and sums
    def relu(self, x: Array) -> tuple[Array, Saved]:
        """max(x, 0)."""
        y = self.xp.maximum(x, 0)
        return y, y

    def relu_backward(self, dy: Array, saved: Saved) -> Array:
        """`dy` where the output was positive, zero elsewhere (so zero at x = 0)."""
        return dy * (saved > 0)

    def add(self, a: Array, b: Array) -> Array:
        """a + b."""
        return a + b

    def add_relu(self, a: Array, b: Array) -> tuple[Array, Saved]:
        """max(a + b, 0)."""
        return self.relu(self.add(a, b))

    def add_relu_backward(self, dy: Array, saved: Saved) -> Array:
        """The gradient by a, which is also that by b."""
        return self.relu_backward(dy, saved)

    # ------------------------------------------------------------------ pooling and shape
    @abstractmethod
    def max_pool(self, x: Array, *, kernel: int, stride: int, padding: int) -> tuple[Array, Saved]:
        """The largest value of each window; outside the picture lies minus infinity."""

    @abstractmethod
    def max_pool_backward(self, dy: Array, saved: Saved, *, kernel: int, stride: int, padding: int) -> Array:
        """`dy` at each window's largest value; of equal ones, at the first in reading order."""

    @abstractmethod
    def average_pool(self, x: Array, *, kernel: int, stride: int, padding: int) -> tuple[Array, Saved]:
        """The mean of each window; outside the picture lies zero, which counts."""

    @abstractmethod
    def average_pool_backward(
        self, dy: Array, saved: Saved, *, kernel: int, stride: int, padding: int
    ) -> Array:
        """`dy` spread evenly over each window."""

    def global_average_pool(self, x: Array) -> tuple[Array, Saved]:
        """(N, H, W, C) -> (N, C): the mean over each picture."""
        return x.mean(axis=(1, 2)), x.shape

    def global_average_pool_backward(self, dy: Array, saved: Saved) -> Array:
        """`dy` spread evenly over each picture."""
        _, height, width, _ = saved
        return self.xp.broadcast_to((dy / (height * width))[:, None, None, :], saved)

    @abstractmethod
    def subsample_pad(self, x: Array, *, channels: int, stride: int) -> tuple[Array, Saved]:
        """Every stride-th pixel, with zero channels on both sides (He et al. 2015, 3.3, option A)."""

    @abstractmethod
    def subsample_pad_backward(self, dy: Array, saved: Saved, *, channels: int, stride: int) -> Array:
        """The gradient by the pixels and channels that were kept; zero for the others."""

    def flatten(self, x: Array) -> tuple[Array, Saved]:
        """(N, ...) -> (N, features), in reading order."""
        return x.reshape(x.shape[0], -1), x.shape

    def flatten_backward(self, dy: Array, saved: Saved) -> Array:
        """`dy` in the shape that was flattened."""
        return dy.reshape(saved)

    # ------------------------------------------------------------------ features and loss
    def linear(self, x: Array, weight: Array, bias: Array | None) -> tuple[Array, Saved]:
        """x @ weight + bias: (N, in) -> (N, out)."""
        if x.shape[-1] != weight.shape[0]:
            raise ShapeError(f"a linear layer over {weight.shape[0]} features was given {tuple(x.shape)}")
        # One product a row: what comes of a picture must not depend on its batch.
        y = self.xp.matmul(x[:, None, :], weight)[:, 0]
        return (y if bias is None else y + bias), x

    def linear_backward(self, dy: Array, weight: Array, saved: Saved) -> tuple[Array, Array, Array]:
        """Gradients dx, dweight, dbias of `linear`."""
        return dy @ weight.T, saved.T @ dy, dy.sum(axis=0)

    def dropout(self, x: Array, key: Array, *, rate: float) -> tuple[Array, Saved]:
        """x with a share `rate` of its numbers zero and the others divided by 1 - rate.

        `key`: (2,) uint32, a seed and a step. The mask is a function of the key and of the place in `x`,
        the same on every engine.
        """
        bits = uniform_bits(self.xp, key, self.size(x)).reshape(x.shape)
        mask = (bits >= self.xp.uint32(round(rate * 2**32))).astype(x.dtype) * (1 / (1 - rate))
        return x * mask, mask

    def dropout_backward(self, dy: Array, saved: Saved) -> Array:
        """`dy` through the same mask."""
        return dy * saved

    def softmax(self, logits: Array) -> Array:
        """Probabilities (N, classes); stable, since the largest logit is taken off first."""
        e = self.xp.exp(logits - logits.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, smoothing: float = 0.0, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """Mean loss and its gradient by the logits, together.

        `smoothing` spreads that share of the target over all classes (Szegedy et al. 2016, section 7);
        `weights` (N,) multiply the pictures' losses.
        """
        xp, (count, classes) = self.xp, logits.shape
        shifted = logits - logits.max(axis=1, keepdims=True)
        exponential = xp.exp(shifted)
        total = exponential.sum(axis=1, keepdims=True)
        hit = xp.asarray(labels)[:, None] == xp.arange(classes)
        target = hit.astype(logits.dtype) * (1 - smoothing) + smoothing / classes
        losses = -(target * (shifted - xp.log(total))).sum(axis=1)
        dlogits = (exponential / total - target) / count
        if weights is not None:
            losses = losses * weights
            dlogits = dlogits * weights[:, None]
        return losses.mean(), dlogits

    def count_correct(self, logits: Array, labels: Array) -> Array:
        """How many pictures have their largest logit at their label."""
        return (logits.argmax(axis=1) == self.xp.asarray(labels)).sum()
