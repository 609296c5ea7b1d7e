"""Published weights under others' names: torchvision's layouts, folders of .npy, and what comes with them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from tiny import refused

from residua import import_weights, load_model, predict
from residua.config import ImportConfig
from residua.data import Preprocessing, read_picture
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ConfigError, ModelFileError, ShapeError
from residua.files.published_weights import read_weights
from residua.models.foreign_weights.fitting import fit_weights
from residua.models.foreign_weights.importing import import_model


@pytest.fixture(scope="module")
def torch():
    module = pytest.importorskip("torch", reason="PyTorch is the oracle here: pip install residua[peer]")
    module.set_num_threads(1)
    return module


def peer_vgg(torch, normalized, width=2, hidden=5, classes=3, sides=2):
    """torchvision's VGG11 in all but width: the same names, biases before normalisation too."""
    nn, layers, before = torch.nn, [], 3
    for after in (1, 0, 2, 0, 4, 4, 0, 8, 8, 0, 8, 8, 0):
        if not after:
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(before, after * width, 3, padding=1))
        layers += [nn.BatchNorm2d(after * width)] if normalized else []
        layers.append(nn.ReLU())
        before = after * width
    ends = [nn.Linear(before * sides**2, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden + 1)]
    ends += [nn.ReLU(), nn.Dropout(), nn.Linear(hidden + 1, classes)]
    return network(torch, layers, ends)


def peer_alexnet(torch, sides=6):
    nn = torch.nn
    plan = [
        (3, 64, 11, 4, 2),
        (64, 192, 5, 1, 2),
        (192, 384, 3, 1, 1),
        (384, 256, 3, 1, 1),
        (256, 256, 3, 1, 1),
    ]
    layers = []
    for number, convolution in enumerate(plan):
        layers += [nn.Conv2d(*convolution), nn.ReLU()]
        layers += [nn.MaxPool2d(3, 2)] if number in (0, 1, 4) else []
    ends = [nn.Dropout(), nn.Linear(256 * sides**2, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 6), nn.ReLU()]
    return network(torch, layers, [*ends, nn.Linear(6, 4)])


def network(torch, layers, ends):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.features, self.classifier = torch.nn.Sequential(*layers), torch.nn.Sequential(*ends)

        def forward(self, x):
            return self.classifier(self.features(x).flatten(1))

    peer = Network()
    generator = torch.Generator().manual_seed(1)
    for name, tensor in peer.state_dict().items():
        if tensor.ndim == 1:
            tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.5 + 0.3 * ("var" in name))
        elif tensor.ndim > 1:
            deviation = (2 / tensor[0].numel()) ** 0.5
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation)
    return peer.eval()


def agree(torch, peer, name, size):
    weights = {key: tensor.numpy() for key, tensor in peer.state_dict().items()}
    found, ours, v = fit_weights(weights, None, "peer", size)
    assert found == name
    x = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype(np.float32)
    with torch.no_grad():
        wanted = peer(torch.tensor(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))).numpy()
    frozen, held = ours.freeze(v)
    found_y = frozen.infer(NumpyEngine(), held, x)
    np.testing.assert_allclose(found_y, wanted, atol=2e-4 * max(1, float(np.abs(wanted).max())))
    return weights


@pytest.mark.parametrize("normalized", [False, True])
def test_vgg_by_torchvisions_names(torch, normalized):
    name = "vgg11-bn" if normalized else "vgg11"
    weights = agree(torch, peer_vgg(torch, normalized), name, 64)
    with pytest.raises(ModelFileError, match=r"hidden1.weight .* instead of"):
        fit_weights(weights, name, "peer", 96)  # for 64x64 maps of 2x2, for 96x96 of 3x3
    with pytest.raises(ModelFileError, match=r"missing .*unexpected features\.0|misshapen"):
        fit_weights(weights, "resnet18", "peer")
    bent = weights | {"features.0.weight": np.zeros((2, 3, 5, 5), np.float32)}
    with pytest.raises(ModelFileError, match=r"misshapen conv1_1.* \(5, 5, 3, 2\) instead of \(3, 3, 3, 2\)"):
        fit_weights(bent, name, "peer", 64)
    less = {key: array for key, array in weights.items() if key != "classifier.6.bias"}
    with pytest.raises(ModelFileError, match=r"missing head.bias"):
        fit_weights(less, name, "peer", 64)
    with pytest.raises(ModelFileError, match=r"missing head\.bias\..*VGG, 11 layers.* is the nearest model"):
        fit_weights(less, None, "peer", 64)
    with pytest.raises(ModelFileError, match=r"unexpected features\.99\.weight"):
        fit_weights(weights | {"features.99.weight": np.zeros(2)}, name, "peer", 64)


def test_alexnet_by_torchvisions_names(torch):
    agree(torch, peer_alexnet(torch), "alexnet-one-tower", 224)


def test_squeezenet_by_torchvisions_names_is_the_one_by_gluons(data_dir):
    folder = data_dir / "weights" / "squeezenet1.1-imagenet"
    if not folder.exists():
        pytest.skip(f"{folder.name} is not in RESIDUA_DATA/weights")
    stored = read_weights(folder)
    assert len(stored) == 52
    places = ["features.0"]
    for number in (3, 4, 6, 7, 9, 10, 11, 12):
        places += [f"features.{number}.{part}" for part in ("squeeze", "expand1x1", "expand3x3")]
    places.append("classifier.1")
    renamed = {
        f"{place}.{kind}": stored[f"squeezenet0_conv{number}_{kind}"]
        for number, place in enumerate(places)
        for kind in ("weight", "bias")
    }
    name, one, v = fit_weights(stored, None, "gluon")
    other_name, other, w = fit_weights(renamed, None, "torchvision")
    assert name == other_name == "squeezenet"
    assert one == other
    for path in ("conv1", "head"):
        assert np.array_equal(v[path]["weight"], w[path]["weight"])
    assert np.array_equal(
        v["fire5"]["expand"]["expand3x3"]["bias"], w["fire5"]["expand"]["expand3x3"]["bias"]
    )


# ------------------------------------------------------------------ folders of .npy, names of classes
def test_folders_of_arrays_that_are_none(tmp_path, capsys):
    assert "holds no .npy files of weights" in refused(capsys, "import", tmp_path)
    (tmp_path / "a.npy").write_bytes(b"no array")
    assert "holds no plain array of numbers" in refused(capsys, "import", tmp_path)
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "holds no plain array of numbers" in refused(capsys, "import", tmp_path)
    np.save(tmp_path / "a.npy", np.ones((3, 2)))
    assert "belong to no model here (a (3, 2), ...)" in refused(capsys, "import", tmp_path)


# ------------------------------------------------------------------ preprocessing
def test_margin_and_order_of_colours():
    shape = Preprocessing(4, 6, 3, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7), resize=8, order="BGR")
    assert Preprocessing.from_dict(shape.to_dict()) == shape
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    cut = shape.cut(images)
    assert np.array_equal(cut, images[:, 2:6, 1:7])
    wanted = (images[:, 2:6, 1:7][..., [2, 1, 0]] / 255 - (0.1, 0.2, 0.3)) / (0.5, 0.6, 0.7)
    np.testing.assert_allclose(shape.normalize(cut), wanted, atol=1e-5)
    plain = Preprocessing(8, 8, 1, (0.5,), (0.5,))
    assert set(plain.to_dict()) == {"height", "width", "channels", "mean", "std"}
    assert np.array_equal(plain.cut(images[..., :1]), images[..., :1])
    for wrong in ({"resize": 7}, {"order": "BGR"}, {"order": "GBR"}, {"resize": 8.5}):
        with pytest.raises(ShapeError):
            Preprocessing(8, 8, 1, (0.5,), (0.5,), **wrong)


@pytest.mark.parametrize("size", [224, 37, 100])
def test_pictures_of_any_proportion_are_brought_to_size(tmp_path, size):
    """A side that is kept whole used to come out a rounding error longer than the picture."""
    for width, height in [(499, 375), (350, 499), (243, 411), (1050, 702), (319, 479), (97, 61)]:
        path = tmp_path / f"{width}x{height}.png"
        Image.new("RGB", (width, height), (9, 99, 199)).save(path)
        assert (read_picture(path, size, size, 3) == (9, 99, 199)).all()


def test_squeezenet_names_photographs(data_dir, tmp_path):
    """40 photographs of ImageNet, one of each of 40 classes; their names say what is in them."""
    folder, photographs = data_dir / "weights" / "squeezenet1.1-imagenet", data_dir / "imagenet-samples"
    if not (folder.exists() and photographs.exists()):
        pytest.skip("SqueezeNet's weights or ImageNet's samples are not in RESIDUA_DATA")
    path, model = import_weights(folder, output=str(tmp_path / "s.safetensors"))
    assert model.classes[0] == "tench"
    assert "maillot (n03710637)" in model.classes
    assert model.preprocessing.resize == 256
    found = predict(load_model(path), photographs, top=5, engine="numpy")
    named = [re.sub(r".*/n\d+_|\.JPEG$", "", entry.file) for entry in found]
    first = sum(name == entry.top[0][0] for name, entry in zip(named, found, strict=True))
    five = sum(name in dict(entry.top) for name, entry in zip(named, found, strict=True))
    assert (len(found), first, five) == (40, 29, 35)


def test_the_margin_is_not_below_the_size(torch, tmp_path):
    peer = peer_vgg(torch, False)
    torch.save(peer.state_dict(), tmp_path / "w.pth")
    with pytest.raises(ConfigError, match="--resize takes the --size of 64 pixels or more; it was given 50"):
        import_model(tmp_path / "w.pth", ImportConfig(size=64, resize=50))
    model = import_model(tmp_path / "w.pth", ImportConfig(size=64, resize=72, order="BGR"))
    assert (model.name, model.preprocessing.reading, model.preprocessing.order) == ("vgg11", (72, 72), "BGR")
