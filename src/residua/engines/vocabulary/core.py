"""The vocabulary that layers speak: what an engine must be able to compute.

Pictures are (N, H, W, C), kernels (height, width, in, out), features (N, C), labels (N,) integers.
Operations come in pairs: `op(x, ...) -> y, saved` and `op_backward(dy, ..., saved) -> dx, ...`. What
`saved` holds is the engine's own business. `dname` is the gradient of the loss by `name`.

No operation writes to its arguments. Activations and gradients are opaque to layers: an engine may keep
them unfinished and complete them inside the operation that reads them (`plain` completes one at once).
What is rarely slow is written once, over the engine's NumPy-like module `xp`, as a function whose first
argument is the engine; the tables below make methods of them, which an engine may override.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from residua.cores import available_cores
from residua.engines.vocabulary import (
    activation,
    batches,
    capsules,
    convolution,
    features,
    losses,
    maps,
    normalization,
    optimizers,
    pooling,
    regularization,
)
from residua.engines.vocabulary.together import Together

Array = Any
Saved = Any


class Engine(ABC):
    """An engine computes; layers say what. Subclasses give `xp` and the abstract operations."""

    name: ClassVar[str]
    xp: Any
    together: Together | None = None
    remarks: tuple[str, ...] = ()  # what people should know of it, said once a training
    behind: ClassVar[int] = 0  # how many steps are best begun before the first of them is read
    fixed_batches: ClassVar[bool] = False  # whether a step for another number of pictures costs much
    divides: int = 1  # of what number of pictures a batch is best a multiple

    def __init__(self, threads: int | None = None) -> None:
        """threads: how many to compute with; None for the cores there are."""
        self.threads = threads or available_cores()

    def join(self, together: Together) -> None:
        """From now on every batch is a part of one: normalisation and dropout are those of the whole."""
        self.together = together

    @property
    def held_bytes(self) -> int:
        """Memory that stays taken between two calls."""
        return 0

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

    def counted(self, labels: Array, compute: Callable[[], Any]) -> Any:
        """`compute()`; engines of `fixed_batches` leave labels (N,) below zero out of means of a batch."""
        return compute()

    def input_gradient(self, compute: Callable[[], Any]) -> Any:
        """`compute()`, and the hint that nobody reads gradients by weights: they may be None."""
        return compute()

    def _number(self, x: Any) -> Any:
        """x, an array that holds one number, so that it leaves others in their precision."""
        return x

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
        scale: Array | None,
        shift: Array | None,
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
        self,
        dy: Array,
        weight: Array,
        scale: Array | None,
        saved: Saved,
        *,
        stride: int,
        padding: int,
        relu: bool,
    ) -> tuple[Array, Array, Array, Array]:
        """Gradients dx, dweight, dscale, dshift of `conv_norm`."""
        saved_conv, saved_norm = saved
        dz, dscale, dshift = self.batch_norm_backward(dy, scale, saved_norm, relu=relu)
        dx, dweight, _ = self.conv2d_backward(dz, weight, saved_conv, stride=stride, padding=padding)
        return dx, dweight, dscale, dshift

    # Made of the engine's own `conv2d`, so a fast one makes them fast.
    transposed_conv2d = convolution.transposed_conv2d
    transposed_conv2d_backward = convolution.transposed_conv2d_backward
    grouped_conv2d = convolution.grouped_conv2d
    grouped_conv2d_backward = convolution.grouped_conv2d_backward
    depthwise_conv2d = convolution.depthwise_conv2d
    depthwise_conv2d_backward = convolution.depthwise_conv2d_backward

    # ------------------------------------------------------------------ normalisation
    batch_norm = normalization.batch_norm
    batch_norm_backward = normalization.batch_norm_backward
    scale_shift = normalization.scale_shift
    scale_shift_backward = normalization.scale_shift_backward
    local_response_norm = normalization.local_response_norm
    local_response_norm_backward = normalization.local_response_norm_backward

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

    leaky_relu = activation.leaky_relu
    leaky_relu_backward = activation.leaky_relu_backward
    threshold = activation.threshold
    threshold_backward = activation.threshold_backward
    tanh = activation.tanh
    tanh_backward = activation.tanh_backward
    sigmoid = activation.sigmoid
    sigmoid_backward = activation.sigmoid_backward
    gelu = activation.gelu
    gelu_backward = activation.gelu_backward
    silu = activation.silu
    silu_backward = activation.silu_backward
    softmax = activation.softmax
    channel_softmax = activation.channel_softmax
    channel_softmax_backward = activation.channel_softmax_backward
    log_softmax = activation.log_softmax
    log_softmax_backward = activation.log_softmax_backward

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

    average_pool_inside = pooling.average_pool_inside
    average_pool_inside_backward = pooling.average_pool_inside_backward

    # ------------------------------------------------------------------ maps
    pad = maps.pad
    pad_backward = maps.pad_backward
    upsample = maps.upsample
    upsample_backward = maps.upsample_backward
    concatenate = maps.concatenate
    concatenate_backward = maps.concatenate_backward
    take_channels = maps.take_channels

    # ------------------------------------------------------------------ features
    linear = features.linear
    linear_backward = features.linear_backward
    flatten = features.flatten
    flatten_backward = features.flatten_backward
    reshape = features.reshape
    reshape_backward = features.reshape_backward

    # ------------------------------------------------------------------ dropout
    dropout = regularization.dropout
    dropout_backward = regularization.dropout_backward
    dropout_maps = regularization.dropout_maps
    dropout_maps_backward = regularization.dropout_maps_backward

    # ------------------------------------------------------------------ capsules
    lengths = capsules.lengths
    lengths_backward = capsules.lengths_backward
    shares = capsules.shares
    shares_backward = capsules.shares_backward
    squash = capsules.squash
    squash_backward = capsules.squash_backward
    predict_capsules = capsules.predict_capsules
    predict_capsules_backward = capsules.predict_capsules_backward
    route = capsules.route
    route_backward = capsules.route_backward
    select_capsule = capsules.select_capsule
    select_capsule_backward = capsules.select_capsule_backward

    # ------------------------------------------------------------------ losses
    softmax_cross_entropy = losses.softmax_cross_entropy
    negative_log_likelihood = losses.negative_log_likelihood
    margin_loss = losses.margin_loss
    mean_squared_error = losses.mean_squared_error
    binary_cross_entropy = losses.binary_cross_entropy
    count_correct = losses.count_correct

    # ------------------------------------------------------------------ variables
    mix = optimizers.mix
    scale = optimizers.scale
    norm = optimizers.norm
    finite = optimizers.finite
    sgd = optimizers.sgd
    adam = optimizers.adam
    rmsprop = optimizers.rmsprop

    # ------------------------------------------------------------------ batches
    crop_and_flip = batches.crop_and_flip
