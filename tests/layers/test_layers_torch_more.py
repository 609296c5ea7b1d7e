"""More layers against PyTorch: activations, kinds of convolution, borders, neighbours, branches."""

from __future__ import annotations

import numpy as np
import pytest
from torch_layers import (
    PRECISIONS,
    compare,
    conv_grads,
    norm_grads,
    norm_stats,
    set_conv,
    set_norm,
    torch,
    variables_of,
)

from residua.layers import (
    GELU,
    Add,
    AveragePool2d,
    BatchNorm2d,
    Concatenate,
    Conv2d,
    DepthwiseConv2d,
    Dropout2d,
    GroupedConv2d,
    LeakyReLU,
    LocalResponseNorm,
    LogSoftmax,
    MultiplyConstant,
    NearestUpsample2d,
    Parallel,
    ReflectionPad2d,
    ReplicationPad2d,
    Reshape,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    Threshold,
    TransposedConv2d,
    ZeroPad2d,
)

nn = torch.nn
every_precision = pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)


@every_precision
@pytest.mark.parametrize(
    ("layer", "module"),
    [
        (LeakyReLU(), nn.LeakyReLU()),
        (LeakyReLU(0.3), nn.LeakyReLU(0.3)),
        (GELU(), nn.GELU()),
        (SiLU(), nn.SiLU()),
        (Tanh(), nn.Tanh()),
        (Sigmoid(), nn.Sigmoid()),
        (Softmax(), nn.Softmax(1)),
        (LogSoftmax(), nn.LogSoftmax(1)),
        (Threshold(0.5, -2.0), nn.Threshold(0.5, -2.0)),
        (MultiplyConstant(-0.3), lambda x: x * -0.3),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("size", [1.0, 50.0])
@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (7, 9)], ids=str)
def test_activations(engine, rng, layer, module, shape, size, dtype, tolerance):
    x = (size * rng.normal(size=shape)).astype(dtype)
    x.flat[::5] = np.round(2 * x.flat[::5]) / 2  # at the kinks, too
    compare(engine, layer, {}, x, module, tolerance)


@every_precision
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("shape", "out", "kernel", "stride", "padding", "extra"),
    [
        ((2, 4, 5, 3), 4, 3, 1, 1, 0),
        ((2, 4, 3, 5), 2, 3, 2, 1, 1),
        ((1, 3, 3, 2), 3, 2, 2, 0, 0),
        ((3, 2, 4, 1), 2, 5, 3, 2, 2),
        ((2, 4, 4, 2), 1, 4, 2, 3, 0),
        ((2, 1, 1, 6), 3, 4, 1, 0, 0),
    ],
)
def test_transposed_convolution(
    engine, rng, shape, out, kernel, stride, padding, extra, bias, dtype, tolerance
):
    layer = TransposedConv2d(shape[-1], out, kernel, stride, padding, extra, bias)
    v = variables_of(layer, rng, dtype)
    module = nn.ConvTranspose2d(shape[-1], out, kernel, stride, padding, extra, bias=bias)
    module.weight.data = torch.tensor(np.ascontiguousarray(v["weight"].transpose(2, 3, 0, 1)))  # IOHW
    if bias:
        module.bias.data = torch.tensor(v["bias"])

    def grads():
        found = {"weight": module.weight.grad.numpy().transpose(2, 3, 0, 1)}
        return found | {"bias": module.bias.grad.numpy()} if bias else found

    compare(engine, layer, v, rng.normal(size=shape).astype(dtype), module, tolerance, grads)


@every_precision
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("shape", "out", "kernel", "stride", "padding", "groups"),
    [
        ((2, 5, 4, 4), 6, 3, 1, 1, 2),
        ((2, 7, 8, 6), 3, 5, 2, 2, 3),
        ((1, 6, 5, 8), 4, 1, 3, 0, 4),
        ((3, 4, 4, 3), 3, 3, 1, 0, 3),
    ],
)
def test_grouped_convolution(
    engine, rng, shape, out, kernel, stride, padding, groups, bias, dtype, tolerance
):
    layer = GroupedConv2d(shape[-1], out, kernel, stride, padding, groups, bias)
    v = variables_of(layer, rng, dtype)
    module = nn.Conv2d(shape[-1], out, kernel, stride, padding, groups=groups, bias=bias)
    set_conv(module, v)
    x = rng.normal(size=shape).astype(dtype)
    compare(engine, layer, v, x, module, tolerance, lambda: conv_grads(module))


@every_precision
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 1, 1), (5, 2, 2), (2, 3, 0), (1, 1, 0), (3, 2, 2)]
)
def test_depthwise_convolution(engine, rng, kernel, stride, padding, bias, dtype, tolerance):
    layer = DepthwiseConv2d(4, kernel, stride, padding, bias)
    v = variables_of(layer, rng, dtype)
    module = nn.Conv2d(4, 4, kernel, stride, padding, groups=4, bias=bias)
    set_conv(module, v | {"weight": v["weight"][:, :, None]})

    def grads():
        found = conv_grads(module)
        return found | {"weight": found["weight"][:, :, 0]}

    x = rng.normal(size=(2, 7, 6, 4)).astype(dtype)
    compare(engine, layer, v, x, module, tolerance, grads)


@every_precision
def test_borders_and_sizes(engine, rng, dtype, tolerance):
    """PyTorch counts left, right, above, below."""
    x = rng.normal(size=(2, 4, 5, 3)).astype(dtype)
    for above, below, left, right in ((1, 1, 1, 1), (3, 0, 2, 4), (0, 2, 0, 0)):
        ours, theirs = (above, below, left, right), (left, right, above, below)
        compare(engine, ZeroPad2d(*ours), {}, x, nn.ZeroPad2d(theirs), tolerance)
        compare(engine, ReflectionPad2d(*ours), {}, x, nn.ReflectionPad2d(theirs), tolerance)
        compare(engine, ReplicationPad2d(*ours), {}, x, nn.ReplicationPad2d(theirs), tolerance)
    for factor in (1, 2, 3):
        compare(
            engine, NearestUpsample2d(factor), {}, x, nn.UpsamplingNearest2d(scale_factor=factor), tolerance
        )
    reshaped = Reshape((5, 12))
    compare(engine, reshaped, {}, x, lambda t: t.permute(0, 2, 3, 1).reshape(2, 5, 12), tolerance)


@every_precision
@pytest.mark.parametrize(("size", "stride", "padding"), [(3, 2, 1), (2, 2, 0), (5, 1, 2), (4, 3, 2)])
def test_average_pool_without_its_padding(engine, rng, size, stride, padding, dtype, tolerance):
    x = rng.normal(size=(2, 9, 7, 3)).astype(dtype)
    module = nn.AvgPool2d(size, stride, padding, count_include_pad=False)
    compare(engine, AveragePool2d(size, stride, padding, count_padding=False), {}, x, module, tolerance)


@every_precision
@pytest.mark.parametrize("size", [1, 3, 4, 5, 11])
def test_local_response_norm(engine, rng, size, dtype, tolerance):
    """PyTorch divides alpha by the number of neighbours."""
    x = rng.normal(size=(2, 3, 4, 7)).astype(dtype)
    layer = LocalResponseNorm(size, 0.4, 0.75, 2.0)
    compare(engine, layer, {}, x, nn.LocalResponseNorm(size, 0.4 * size, 0.75, 2.0), tolerance)


@every_precision
def test_branches(engine, rng, dtype, tolerance):
    first, second = (
        Conv2d(4, 3, bias=True),
        Sequential({"norm": BatchNorm2d(4), "conv": Conv2d(4, 3, 1, 1, 0)}),
    )
    modules = nn.Conv2d(4, 3, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 1, bias=False)
    x = rng.normal(size=(3, 5, 4, 4)).astype(dtype)
    for container, join in (
        (Concatenate, lambda a, b: torch.cat([a, b], 1)),
        (Add, lambda a, b: a + b),
    ):
        layer = container({"a": first, "b": second})
        v = variables_of(layer, rng, dtype)
        set_conv(modules[0], v["a"])
        set_norm(modules[1], v["b"]["norm"])
        set_conv(modules[2], v["b"]["conv"])
        for module in modules:
            module.zero_grad()

        def grads():
            found = conv_grads(modules[0], "a.") | norm_grads(modules[1], "b.norm.")
            return found | conv_grads(modules[2], "b.conv.")

        def peer(t, join=join):
            return join(modules[0](t), modules[2](modules[1](t)))

        stats = lambda: norm_stats(modules[1], "b.norm.")  # noqa: E731
        compare(engine, layer, v, x, peer, 3 * tolerance, grads, stats)


@every_precision
def test_parallel_convolutions_are_a_grouped_one(engine, rng, dtype, tolerance):
    grouped = GroupedConv2d(6, 4, groups=2, bias=True)
    v = variables_of(grouped, rng, dtype)
    layer = Parallel({"a": Conv2d(3, 2, bias=True), "b": Conv2d(3, 2, bias=True)}, 6)
    halves = {
        "a": {"weight": v["weight"][..., :2], "bias": v["bias"][:2]},
        "b": {"weight": v["weight"][..., 2:], "bias": v["bias"][2:]},
    }
    module = nn.Conv2d(6, 4, 3, padding=1, groups=2)
    set_conv(module, v)

    def grads():
        weight, bias = (conv_grads(module)[name] for name in ("weight", "bias"))
        first = {"a.weight": weight[..., :2], "a.bias": bias[:2]}
        return first | {"b.weight": weight[..., 2:], "b.bias": bias[2:]}

    compare(engine, layer, halves, rng.normal(size=(2, 4, 5, 6)).astype(dtype), module, tolerance, grads)


def test_whole_maps_are_dropped(engine):
    layer, x = Dropout2d(0.3), np.ones((50, 3, 4, 60))
    y, saved, _ = layer.forward(engine, layer.init(np.random.default_rng(0)), x)
    assert np.array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert abs((y[:, 0, 0] == 0).mean() - 0.3) < 0.02
    dx, _ = layer.backward(engine, {}, saved, x)
    assert np.array_equal(dx, y)
    frozen, v = layer.freeze({})
    assert frozen.infer(engine, v, x) is x
