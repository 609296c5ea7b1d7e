"""LeNet-5, AlexNet, SqueezeNet, the small VGG and pre-activation: as published, and as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from torch_networks import hold_to_peer, stirred, translated

from residua.config import ModelOptions
from residua.engines import open_engine
from residua.errors import ConfigError, ShapeError
from residua.layers import GroupedConv2d, LocalResponseNorm
from residua.layers.parameters import ZeroGenerator
from residua.models import MODELS, build_model
from residua.models.architectures.alexnet import alexnet
from residua.models.architectures.large_resnet import large_preactivation_resnet
from residua.models.architectures.lenet import lenet5
from residua.models.architectures.small_resnet import small_resnet
from residua.models.architectures.squeezenet import squeezenet
from residua.models.architectures.vgg import small_vgg
from residua.testing import check_layer
from residua.testing.arrays import cast, distinct
from residua.variables import count_parameters, fill, flatten, trainable

# LeNet-5: the usual count. AlexNet: of the paper's sizes, and of those that PyTorch's collection has.
PUBLISHED = {
    "lenet5": 61_706,
    "alexnet": 60_965_224,
    "alexnet-one-tower": 61_100_840,
    "squeezenet": 1_235_496,
    "preresnet50": 25_549_352,
}
CLASSIC = ["lenet5", "vgg8", "alexnet", "alexnet-one-tower", "squeezenet", "preresnet20", "preresnet18"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_as_many_parameters_as_published(name):
    card = MODELS[name]
    options = ModelOptions(model=name)
    network = build_model(options, channels=card.input_shape[2], classes=card.classes)
    assert card.parameters == PUBLISHED[name]
    assert count_parameters(network.init(ZeroGenerator())) == PUBLISHED[name]
    assert network.output_shape(card.input_shape) == (card.classes,)


@pytest.mark.parametrize("name", MODELS)
def test_every_card_counts_what_the_builder_makes(name):
    card = MODELS[name]
    network = build_model(ModelOptions(model=name), channels=card.input_shape[2], classes=card.classes)
    assert sum(row.parameters for row in network.rows(card.input_shape)) == card.parameters
    assert network.output_shape(card.input_shape) == (card.classes,)
    assert all("." not in part for part in network.layers)


def test_sizes_of_alexnet():
    """Krizhevsky et al. 2012, figure 2: 55, 27, 13 and 6 pixels; kernels per tower 48, 128, 192, 192, 128."""
    network, shape, seen = alexnet(), (224, 224, 3), {}
    for name, layer in network.layers.items():
        seen[name] = shape = layer.output_shape(shape)
    assert [seen[f"conv{i}"][2] // 2 for i in range(1, 6)] == [48, 128, 192, 192, 128]
    assert [seen[name][0] for name in ("conv1", "pool1", "pool2", "pool5")] == [55, 27, 13, 6]
    assert seen["flatten"] == (9216,)
    grouped = [name for name, layer in network.layers.items() if isinstance(layer, GroupedConv2d)]
    assert grouped == ["conv2", "conv4", "conv5"]
    names = list(network.layers)
    assert names[:3] == ["conv1", "norm1", "pool1"]
    later = alexnet(towers=1, response_norm=False)
    assert not any(isinstance(layer, GroupedConv2d | LocalResponseNorm) for layer in later.layers.values())
    # "One weird trick": 64, 192, 384, 256, 256.
    assert [later.layers[f"conv{i}"].out_channels for i in range(1, 6)] == [64, 192, 384, 256, 256]


def test_sizes_of_squeezenet():
    """The published network: 111, 55, 27 and 13 pixels, 512 channels before the head."""
    network, shape, seen = squeezenet(), (224, 224, 3), {}
    for name, layer in network.layers.items():
        seen[name] = shape = layer.output_shape(shape)
    assert [seen[name][0] for name in ("conv1", "pool1", "pool3", "pool5")] == [111, 55, 27, 13]
    assert seen["fire9"] == (13, 13, 512)
    assert seen["pool"] == (1000,)


@pytest.mark.parametrize(("size", "features"), [((32, 32), 400), ((28, 28), 400), ((12, 12), 16)])
def test_lenet_takes_digits_of_any_margin(size, features):
    network = lenet5(size=size)
    assert network.layers["hidden1"].in_features == features
    assert network.output_shape((*size, 1)) == (10,)


def test_small_vgg_takes_small_pictures():
    assert small_vgg(channels=1, size=(28, 28)).layers["hidden1"].in_features == 3 * 3 * 128
    assert small_vgg().layers["hidden1"].in_features == 4 * 4 * 128
    with pytest.raises(ShapeError, match="at least 8x8 pixels; they were given 7x9"):
        small_vgg(size=(7, 9))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="at least 63x63 pixels; they were given 62x80"):
        alexnet(size=(62, 80))
    assert alexnet(size=(63, 63)).output_shape((63, 63, 3)) == (1000,)
    with pytest.raises(ValueError, match="towers is 1 or 2; it was given as 3"):
        alexnet(towers=3)
    with pytest.raises(ShapeError, match="at least 12x12 pixels; it was given 11x12"):
        lenet5(size=(11, 12))
    with pytest.raises(ConfigError, match="lenet5 has no --width: leave it out"):
        build_model(ModelOptions(model="lenet5", width=3), channels=1, classes=10)
    with pytest.raises(ConfigError, match="squeezenet has no --hidden: leave it out; it knows --dropout"):
        build_model(ModelOptions(model="squeezenet", hidden=(3,)), channels=1, classes=10)
    with pytest.raises(ValueError, match="needs shortcut A or B"):
        small_resnet(depth=8, shortcut=None, preactivation=True)


@pytest.mark.parametrize("name", CLASSIC)
def test_every_weight_receives_a_gradient_and_freeze_keeps_the_shape(engine, rng, name):
    side = 63 if "alexnet" in name or name == "squeezenet" else 32
    hidden = (20,) if name not in ("lenet5", "squeezenet") else ()
    dropout = 0.2 if name != "lenet5" else None
    options = ModelOptions(model=name, hidden=hidden, dropout=dropout)
    network = build_model(options, channels=3, classes=5, size=(side, side))
    v, x = network.init(rng), rng.normal(size=(4, side, side, 3)).astype(np.float32)
    logits, saved, _ = network.forward(engine, v, x)
    assert logits.shape == (4, 5)
    _, grads = network.backward(engine, v, saved, rng.normal(size=logits.shape).astype(np.float32))
    assert list(flatten(grads)) == list(flatten(trainable(v)))
    assert all(np.abs(gradient).max() > 0 for gradient in flatten(grads).values())
    frozen, frozen_v = network.freeze(v)
    assert not {row.kind for row in frozen.rows((side, side, 3))} & {"ConvNorm", "BatchNorm2d", "Dropout"}
    assert frozen.infer(engine, frozen_v, x).shape == (4, 5)


@pytest.mark.sample(1)
@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_contract_of_pre_activated_networks(shortcut):
    network = small_resnet(depth=8, width=3, shortcut=shortcut, preactivation=True)
    check_layer(network, (2, 9, 7, 3), tolerance=2e-6)


def test_the_sum_stays_untouched_between_blocks():
    """He et al. 2016, figure 4e: in a stage nothing but additions stands on the shortcuts' way."""
    network = small_resnet(depth=20, preactivation=True)
    for stage in ("stage1", "stage2", "stage3"):
        later = list(network.layers[stage].layers.values())[1:]
        assert {type(unit).__name__ for unit in later} == {"Add"}
        for unit in later:
            assert type(unit.branches["shortcut"]).__name__ == "Identity"
            assert list(unit.branches["body"].layers) == ["norm", "conv1", "conv2"]
    # 19 normalisations, one before each convolution but the stem and one at the end, as many as before.
    kinds = [row.kind for row in network.rows((32, 32, 3))]
    assert kinds.count("ConvNorm") + kinds.count("BatchNorm2d") == 19
    assert kinds.count("ConvNorm") + kinds.count("Conv2d") == 19


# ------------------------------------------------------------------ the same in PyTorch
@pytest.fixture(scope="module")
def torch():
    module = pytest.importorskip("torch", reason="PyTorch is the oracle here: pip install residua[peer]")
    module.set_num_threads(1)  # two libraries' threads would wait for each other's cores
    return module


def agree(torch, engine, rng, network, peer, shape):
    """Both have the same parameters, one after the other."""
    peer = stirred(torch, peer)
    v = cast(network.init(rng), np.float64)
    names = dict(zip(flatten(trainable(v)), dict(peer.named_parameters()), strict=True))
    for path, array in flatten(trainable(v)).items():
        array[...] = translated(torch, peer.state_dict()[names[path]])
    hold_to_peer(torch, engine, network, v, peer, names, distinct(rng, shape))


class Lambda:
    """A function as a module of PyTorch."""

    def __new__(cls, torch, function):
        class Module(torch.nn.Module):
            def forward(self, x):
                return function(x)

        return Module()


def flat(torch):
    return Lambda(torch, lambda x: x.permute(0, 2, 3, 1).flatten(1))


@pytest.mark.parametrize("size", [(32, 32), (28, 27)])
def test_lenet_agrees_with_pytorch(torch, engine, rng, size):
    nn = torch.nn
    left = 16 * 5 * 5 if size == (32, 32) else 16 * 5 * 4
    peer = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=0 if size == (32, 32) else 2), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), flat(torch)),
        *(nn.Linear(left, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    )
    agree(torch, engine, rng, lenet5(size=size), peer, (3, *size, 1))


@pytest.mark.parametrize("towers", [1, 2])
def test_alexnet_agrees_with_pytorch(torch, engine, rng, towers):
    nn = torch.nn
    a, b, c, d, e = (96, 256, 384, 384, 256) if towers == 2 else (64, 192, 384, 256, 256)
    # PyTorch divides alpha by the five neighbours.
    norms = [nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0) if towers == 2 else nn.Identity() for _ in range(2)]
    peer = nn.Sequential(
        *(nn.Conv2d(3, a, 11, 4, 2), nn.ReLU(), norms[0], nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(a, b, 5, padding=2, groups=towers), nn.ReLU(), norms[1], nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(b, c, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(c, d, 3, padding=1, groups=towers), nn.ReLU()),
        *(nn.Conv2d(d, e, 3, padding=1, groups=towers), nn.ReLU(), nn.MaxPool2d(3, 2), flat(torch)),
        *(nn.Linear(2 * e, 9), nn.ReLU(), nn.Linear(9, 8), nn.ReLU(), nn.Linear(8, 6)),
    )
    options = {"classes": 6, "size": (100, 70), "hidden": (9, 8), "dropout": 0.0}
    network = alexnet(towers=towers, response_norm=towers == 2, **options)
    agree(torch, engine, rng, network, peer, (2, 100, 70, 3))


def test_squeezenet_agrees_with_pytorch(torch, engine, rng):
    nn = torch.nn

    class Fire(nn.Module):
        def __init__(self, before, squeeze, expand):
            super().__init__()
            self.squeeze = nn.Conv2d(before, squeeze, 1)
            self.one = nn.Conv2d(squeeze, expand, 1)
            self.three = nn.Conv2d(squeeze, expand, 3, padding=1)

        def forward(self, x):
            x = self.squeeze(x).relu()
            return torch.cat([self.one(x).relu(), self.three(x).relu()], 1)

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    peer = nn.Sequential(
        *(nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool()),
        *(Fire(128, 32, 128), Fire(256, 32, 128), pool(), Fire(256, 48, 192), Fire(384, 48, 192)),
        *(Fire(384, 64, 256), Fire(512, 64, 256), nn.Conv2d(512, 7, 1), nn.ReLU()),
        Lambda(torch, lambda x: x.mean(dim=(2, 3))),
    )
    # 63 -> 31 -> 15 -> 7 -> 3: no window is left over.
    agree(torch, engine, rng, squeezenet(classes=7, dropout=0.0, rectified=True), peer, (2, 63, 79, 3))


def torch_preactivated(torch, plan, stem, classes):
    """plan: (channels before, the body's convolutions as (in, out, kernel, stride)) for every unit."""
    nn = torch.nn

    class Unit(nn.Module):
        def __init__(self, convolutions, first):
            super().__init__()
            before, after = convolutions[0][0], convolutions[-1][1]
            stride = max(conv[3] for conv in convolutions)
            self.changes = before != after or stride != 1
            self.norm = None if first else nn.BatchNorm2d(before)
            self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
            for number, (a, b, kernel, step) in enumerate(convolutions):
                self.convs.append(nn.Conv2d(a, b, kernel, step, kernel // 2, bias=False))
                if number < len(convolutions) - 1:
                    self.norms.append(nn.BatchNorm2d(b))
            self.projection = nn.Conv2d(before, after, 1, stride, bias=False) if self.changes else None

        def forward(self, x):
            y = x if self.norm is None else self.norm(x).relu()
            shortcut = self.projection(y) if self.changes else x
            for number, conv in enumerate(self.convs):
                y = conv(y)
                y = self.norms[number](y).relu() if number < len(self.norms) else y
            return y + shortcut

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = stem
            self.units = nn.ModuleList([Unit(convs, not number) for number, convs in enumerate(plan)])
            self.norm = nn.BatchNorm2d(plan[-1][-1][1])
            self.fc = nn.Linear(plan[-1][-1][1], classes)

        def forward(self, x):
            x = self.stem(x)
            for unit in self.units:
                x = unit(x)
            return self.fc(self.norm(x).relu().mean(dim=(2, 3)))

    return Network()


def ordered(peer):
    """PyTorch's names in the order of ours: in a unit norm, conv1, norm1, conv2, ..., projection."""
    names = list(dict(peer.named_parameters()))

    def key(name):
        if name.startswith("stem"):
            return (0, 0, 0, 0, names.index(name))
        if not name.startswith("units"):
            return (2, 0, 0, 0, names.index(name))
        _, unit, kind, *rest = name.split(".")
        place = {"norm": -1, "projection": 99}.get(kind, int(rest[0]) if kind in ("convs", "norms") else 0)
        return (1, int(unit), place, int(kind == "norms"), names.index(name))

    return sorted(names, key=key)


@pytest.mark.parametrize("family", ["small", "18", "50"])
def test_pre_activated_networks_agree_with_pytorch(torch, engine, rng, family):
    nn, width = torch.nn, 4
    if family == "small":
        network = small_resnet(depth=14, width=width, classes=6, shortcut="B", preactivation=True)
        stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        stages, times = (2, 2, 2), 1
    else:
        network = large_preactivation_resnet(depth=int(family), width=width, classes=6)
        stem = nn.Sequential(nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        stem.append(nn.MaxPool2d(3, 2, 1))
        stages, times = ((2, 2, 2, 2), 1) if family == "18" else ((3, 4, 6, 3), 4)
    plan, before = [], width
    for stage, count in enumerate(stages):
        inner = width << stage
        for number in range(count):
            stride = 2 if stage and not number else 1
            if times == 1:
                plan.append([(before, inner, 3, stride), (inner, inner, 3, 1)])
            else:
                plan.append([(before, inner, 1, 1), (inner, inner, 3, stride), (inner, 4 * inner, 1, 1)])
            before = inner * times
    peer = stirred(torch, torch_preactivated(torch, plan, stem, 6))
    v = cast(network.init(rng), np.float64)
    names = dict(zip(flatten(trainable(v)), ordered(peer), strict=True))
    for path, array in flatten(trainable(v)).items():
        array[...] = translated(torch, peer.state_dict()[names[path]])
    hold_to_peer(torch, engine, network, v, peer, names, distinct(rng, (3, 37, 45, 3)))


# ------------------------------------------------------------------ SqueezeNet as it was published
@pytest.mark.parametrize("name", ["numpy", pytest.param("numba", marks=pytest.mark.exhaustive)])
def test_squeezenet_answers_as_published(data_dir, name):
    """Published weights, inputs and outputs: 26 convolutions in the network's order."""
    folder = data_dir / "weights" / "squeezenet1.1-imagenet"
    if not folder.exists():
        pytest.skip(f"{folder.name} is not in RESIDUA_DATA/weights")
    if name == "numba":
        pytest.importorskip("numba")
    network = squeezenet(rectified=True)
    v = network.init(ZeroGenerator())
    paths = [path for path in flatten(v) if path.endswith(".weight")]
    assert len(paths) == 26
    stored = {}
    for number, path in enumerate(paths):
        part = folder / "weights" / f"squeezenet0_conv{number}"
        stored[path] = np.load(f"{part}_weight.npy").transpose(2, 3, 1, 0)
        stored[path.replace(".weight", ".bias")] = np.load(f"{part}_bias.npy")
    assert stored.keys() == flatten(trainable(v)).keys()
    v = fill(v, flatten(v) | stored, "the published weights")
    frozen, v = network.freeze(v)
    engine = open_engine(name, threads=1)
    answer = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    for pair in range(3):
        x = np.load(folder / "test_data_set" / str(pair) / "input_0.npy")
        wanted = np.load(folder / "test_data_set" / str(pair) / "output_0.npy").reshape(1, -1)
        y = answer(v, np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
        assert y.shape == wanted.shape == (1, 1000)
        assert np.abs(y - wanted).max() < 1e-3
        assert np.abs(wanted).max() > 1
