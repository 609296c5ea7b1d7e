"""The networks for large pictures: published counts, shapes, and agreement with the same in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from torch_networks import hold_to_peer, stirred, translated

from residua.config import ModelOptions
from residua.errors import ConfigError, ShapeError
from residua.layers.parameters import ZeroGenerator
from residua.models import MODELS, build_model
from residua.models.architectures.large_resnet import large_resnet
from residua.models.architectures.vgg import vgg
from residua.models.cards import IMAGENET
from residua.models.foreign_weights.fitting import fit_weights
from residua.testing.arrays import cast, distinct
from residua.variables import count_parameters, flatten, trainable

# As the weights that PyTorch's own collection of models publishes are counted.
PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
}
# Likewise, but with the biases of convolutions that a normalisation follows: one for each channel.
PUBLISHED_WITH_NEEDLESS_BIASES = {
    "vgg11-bn": 132_868_840,
    "vgg13-bn": 133_053_736,
    "vgg16-bn": 138_365_992,
    "vgg19-bn": 143_678_248,
}
# He et al. 2015, table 1: billions of multiply-adds.
COSTS = {"resnet18": 1.8, "resnet34": 3.6, "resnet50": 3.8, "resnet101": 7.6, "resnet152": 11.3}


def build(name, classes=1000, size=(224, 224), **options):
    return build_model(ModelOptions(model=name, **options), channels=3, classes=classes, size=size)


@pytest.mark.parametrize("name", PUBLISHED)
def test_as_many_parameters_as_published(name):
    network = build(name)
    assert MODELS[name].parameters == PUBLISHED[name]
    assert count_parameters(network.init(ZeroGenerator())) == PUBLISHED[name]
    assert network.output_shape(IMAGENET) == (1000,)


@pytest.mark.parametrize("name", PUBLISHED_WITH_NEEDLESS_BIASES)
def test_normalised_vgg_lacks_nothing_but_the_needless_biases(name):
    rows = list(build(name).rows(IMAGENET))
    biases = sum(row.output_shape[-1] for row in rows if row.kind == "ConvNorm")
    assert sum(row.parameters for row in rows) == PUBLISHED_WITH_NEEDLESS_BIASES[name] - biases
    assert MODELS[name].parameters == PUBLISHED_WITH_NEEDLESS_BIASES[name] - biases


@pytest.mark.parametrize("name", COSTS)
def test_cost_is_about_the_papers(name):
    """The paper leaves the shortcuts out, and has the bottleneck's stride one layer earlier."""
    assert 0.99 <= build(name).multiply_adds(IMAGENET) / 1e9 / COSTS[name] <= 1.08


def test_stages_of_a_residual_network():
    """Table 1: sizes of the maps after the stem, its pooling and the four stages."""
    ends = {"stem": (112, 112, 64), "stem_pool": (56, 56, 64), "pool": (2048,), "head": (1000,)}
    stages = [(56, 56, 256), (28, 28, 512), (14, 14, 1024), (7, 7, 2048)]
    network, shape = build("resnet50"), IMAGENET
    for name, layer in network.layers.items():
        shape = layer.output_shape(shape)
        assert shape == (stages[int(name[5:]) - 1] if name.startswith("stage") else ends[name])
    rows = list(network.rows(IMAGENET))
    assert sum(row.kind in ("ConvNorm", "Linear") and "shortcut" not in row.name for row in rows) == 50


def test_the_small_stem_keeps_small_pictures():
    network = build("resnet18", classes=10, size=(32, 32), stem="small")
    assert network.layers["stem"].output_shape((32, 32, 3)) == (32, 32, 64)
    assert "stem_pool" not in network.layers
    before_the_mean = [row for row in network.rows((32, 32, 3)) if row.name.startswith("stage4")][-1]
    assert before_the_mean.output_shape == (4, 4, 512)
    # The 7x7 kernel becomes 3x3, and there are ten classes.
    assert count_parameters(network.init(ZeroGenerator())) == 11_689_512 - 40 * 3 * 64 - 513 * 990


def test_shortcuts_without_weights():
    rows = list(build("resnet34", shortcut="A").rows(IMAGENET))
    assert sum(row.parameters for row in rows if "shortcut" in row.name) == 0
    assert sum(row.kind == "SubsamplePad" for row in rows) == 3


@pytest.mark.parametrize(("size", "left"), [((224, 224), 7 * 7), ((64, 64), 2 * 2), ((32, 96), 3)])
def test_what_vgg_leaves_of_a_picture(size, left):
    network = build("vgg16", size=size)
    assert network.layers["pool5"].output_shape((2, 2, 512)) == (1, 1, 512)
    assert network.layers["hidden1"].in_features == left * 512
    assert network.output_shape((*size, 3)) == (1000,)


def test_options_reach_vgg():
    network = build("vgg11", classes=7, size=(64, 64), width=8, hidden=(20, 10, 5), dropout=0.0)
    kinds = [row.kind for row in network.rows((64, 64, 3))]
    assert kinds.count("Linear") == 4
    assert "Dropout" not in kinds
    assert network.layers["conv5_2"].out_channels == 64
    assert network.layers["hidden3"].out_features == 5
    assert {row.kind for row in build("vgg11").rows(IMAGENET)} >= {"Dropout"}


@pytest.mark.parametrize(("name", "first"), [("vgg11", 2048), ("vgg11-bn", 2048), ("alexnet", 256)])
def test_wide_layers_begin_with_the_papers_deviation(name, first):
    """Otherwise a single step at a usual rate throws the logits of 4,096 wide features about."""
    network = build(name, classes=300, size=(64, 64), hidden=(400, 500))
    v = network.init(np.random.default_rng(0))
    shapes = {"hidden1": (first, 400), "hidden2": (400, 500), "head": (500, 300)}
    for layer, shape in shapes.items():
        assert v[layer]["weight"].shape == shape
        assert v[layer]["weight"].std() == pytest.approx(0.01, rel=0.02), layer
    small = build("vgg8", classes=10, size=(32, 32))
    v = small.init(np.random.default_rng(0))
    assert v["hidden1"]["weight"].std() == pytest.approx((2 / 2048) ** 0.5, rel=0.02)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"at least 32x32 pixels; they were given 28x30"):
        build("vgg16", size=(28, 30))
    with pytest.raises(ConfigError, match=r"vgg16 has no --shortcut: .*--width, --hidden, --dropout"):
        build("vgg16", shortcut="B")
    with pytest.raises(ConfigError, match="resnet20 has no --stem"):
        build("resnet20", stem="small")
    with pytest.raises(ValueError, match="depth is one of 18, 34, 50, 101, 152; it was given as 20"):
        large_resnet(depth=20)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "vgg11", "vgg11-bn"])
def test_every_weight_receives_a_gradient_and_freeze_agrees(engine, rng, name):
    network = build(name, classes=5, size=(32, 48), width=4, dropout=0.0, hidden=(12,))
    v, x = network.init(rng), rng.normal(size=(3, 32, 48, 3)).astype(np.float32)
    logits, saved, _ = network.forward(engine, v, x)
    assert logits.shape == (3, 5)
    _, grads = network.backward(engine, v, saved, rng.normal(size=logits.shape).astype(np.float32))
    assert list(flatten(grads)) == list(flatten(trainable(v)))
    assert all(np.abs(gradient).max() > 0 for gradient in flatten(grads).values())
    frozen, frozen_v = network.freeze(v)
    assert not {row.kind for row in frozen.rows((32, 48, 3))} & {"ConvNorm", "Dropout"}
    assert frozen.infer(engine, frozen_v, x).shape == (3, 5)


# ------------------------------------------------------------------ the same network in PyTorch
@pytest.fixture(scope="module")
def torch():
    module = pytest.importorskip("torch", reason="PyTorch is the oracle here: pip install residua[peer]")
    module.set_num_threads(1)  # two libraries' threads would wait for each other's cores
    return module


def torch_resnet(torch, depth, width, classes, stem):
    """ResNet as PyTorch's users write it, under their usual names."""
    nn = torch.nn
    blocks = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}[depth]
    times = 4 if depth >= 50 else 1

    class Block(nn.Module):
        def __init__(self, before, inner, stride):
            super().__init__()
            after = inner * times
            if times == 1:
                plan = [(before, inner, 3, stride), (inner, after, 3, 1)]
            else:
                plan = [(before, inner, 1, 1), (inner, inner, 3, stride), (inner, after, 1, 1)]
            for number, (a, b, kernel, step) in enumerate(plan, start=1):
                setattr(self, f"conv{number}", nn.Conv2d(a, b, kernel, step, kernel // 2, bias=False))
                setattr(self, f"bn{number}", nn.BatchNorm2d(b))
            self.count, self.downsample = len(plan), None
            if stride != 1 or before != after:
                self.downsample = nn.Sequential(
                    nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
                )

        def forward(self, x):
            y = x
            for number in range(1, self.count + 1):
                y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
                y = y.relu() if number < self.count else y
            return (y + (x if self.downsample is None else self.downsample(x))).relu()

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            large = stem == "large"
            self.conv1 = nn.Conv2d(
                3, width, 7 if large else 3, 2 if large else 1, 3 if large else 1, bias=False
            )
            self.bn1 = nn.BatchNorm2d(width)
            self.maxpool = nn.MaxPool2d(3, 2, 1) if large else nn.Identity()
            before = width
            for stage, count in enumerate(blocks):
                members = []
                for number in range(count):
                    members.append(Block(before, width << stage, 2 if stage and not number else 1))
                    before = (width << stage) * times
                setattr(self, f"layer{stage + 1}", nn.Sequential(*members))
            self.fc = nn.Linear(before, classes)

        def forward(self, x):
            x = self.maxpool(self.bn1(self.conv1(x)).relu())
            for stage in range(1, 5):
                x = getattr(self, f"layer{stage}")(x)
            return self.fc(x.mean(dim=(2, 3)))

    return ResNet()


def torch_vgg(torch, blocks, width, size, classes, hidden, normalized):
    nn, before, layers = torch.nn, 3, []
    for block, count in enumerate(blocks):
        after = width * min(8, 2**block)
        for _ in range(count):
            layers.append(nn.Conv2d(before, after, 3, padding=1, bias=not normalized))
            layers += [nn.BatchNorm2d(after)] if normalized else []
            layers.append(nn.ReLU())
            before = after
        layers.append(nn.MaxPool2d(2))
    left = size[0] // 2 ** len(blocks) * (size[1] // 2 ** len(blocks))

    class InReadingOrder(nn.Module):
        def forward(self, x):
            return x.permute(0, 2, 3, 1).flatten(1)

    layers.append(InReadingOrder())
    before *= left
    for units in hidden:
        layers += [nn.Linear(before, units), nn.ReLU()]
        before = units
    return nn.Sequential(*layers, nn.Linear(before, classes))


@pytest.mark.parametrize(("depth", "stem"), [(18, "large"), (18, "small"), (34, "large"), (50, "large")])
def test_residual_networks_agree_with_pytorch(torch, engine, rng, depth, stem):
    """The peer's weights come in under its own names, as a file of published ones would."""
    peer = stirred(torch, torch_resnet(torch, depth, 4, 6, stem))
    weights = {name: tensor.detach().numpy() for name, tensor in peer.state_dict().items()}
    found, network, v = fit_weights(weights, None, "peer")
    assert found == f"resnet{depth}"
    assert network == large_resnet(depth=depth, width=4, classes=6, stem=stem)
    names = {}
    for path in flatten(trainable(v)):
        *where, kind, number = path.split(".")
        name = ".".join(where).replace("stage", "layer").replace(".body", "")
        if path.startswith("head"):
            name = "fc"
        elif path.startswith("stem"):
            name = "conv1" if kind == "conv" else "bn1"
        elif "shortcut" in path:
            name = name.replace("shortcut", "downsample") + (".0" if kind == "conv" else ".1")
        else:
            name = name if kind == "conv" else name.replace("conv", "bn")
        names[path] = f"{name}.{number}"
    v = cast(v, np.float64)
    for path, array in flatten(trainable(v)).items():  # what came in went through float32
        array[...] = translated(torch, peer.state_dict()[names[path]])
    hold_to_peer(torch, engine, network, v, peer, names, distinct(rng, (3, 45, 37, 3)))


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("blocks", [(1, 1, 2, 2, 2), (2, 2, 3, 3, 3)], ids=["vgg11", "vgg16"])
def test_vgg_agrees_with_pytorch(torch, engine, rng, blocks, normalized):
    size, hidden = (64, 38), (9, 8)
    options = {"width": 3, "size": size, "hidden": hidden, "classes": 6, "normalized": normalized}
    network = vgg(blocks=blocks, dropout=0.0, **options)
    peer = stirred(torch, torch_vgg(torch, blocks, **options))
    v = cast(network.init(rng), np.float64)
    # One after the other, both have the same parameters.
    names = dict(zip(flatten(trainable(v)), dict(peer.named_parameters()), strict=True))
    for path, array in flatten(trainable(v)).items():
        array[...] = translated(torch, peer.state_dict()[names[path]])
    hold_to_peer(torch, engine, network, v, peer, names, distinct(rng, (3, *size, 3)))
