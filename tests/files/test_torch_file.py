"""PyTorch's files: read without PyTorch, number for number, and nothing in them is run."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from tiny import answered, refused

from residua import import_weights, load_model
from residua.config import ModelOptions
from residua.data.preprocessing import Preprocessing
from residua.data.sources.readers.cifar import read_cifar
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ModelFileError
from residua.files.torch_file import read_torch_weights
from residua.models import MODELS, build_model
from residua.models.foreign_weights.fitting import fit_weights
from residua.training.inference import make_infer
from residua.variables import count_parameters, flatten

OLD = {"_use_new_zipfile_serialization": False}


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="writes files as PyTorch does, and is the oracle")


@pytest.fixture(params=["zip", "row of pickles"])
def save(request, torch, tmp_path):
    """Write a file as PyTorch does now, or as it did before 1.6."""

    def write(tree, name="w.pth"):
        torch.save(tree, tmp_path / name, **({} if request.param == "zip" else OLD))
        return tmp_path / name

    return write


def fails(path):
    with pytest.raises(ModelFileError) as caught:
        read_torch_weights(path)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line


# ---------------------------------------------------------------- what is read
def test_every_kind_of_number(save, torch):
    kinds = ("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
    tree = {kind: torch.arange(6).reshape(2, 3).to(getattr(torch, kind)) for kind in kinds}
    read = read_torch_weights(save(tree))
    assert list(read) == list(tree)
    for kind, array in read.items():
        assert array.dtype == np.dtype(kind)
        assert np.array_equal(array, tree[kind].numpy())


def test_views_strides_and_shared_storages(save, torch):
    base = torch.arange(60, dtype=torch.float32).reshape(5, 12)
    tree = {
        "base": base,
        "transposed": base.t(),
        "part": base[1:4, 2:9:3],
        "row": base[3],
        "permuted": base.reshape(5, 3, 4).permute(2, 0, 1),
        "repeated": torch.ones(1).expand(3, 4),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(base[:2].clone()),
    }
    read = read_torch_weights(save(tree))
    for name, tensor in tree.items():
        assert read[name].shape == tuple(tensor.shape)
        assert np.array_equal(read[name], tensor.detach().numpy()), name
        assert read[name].flags.c_contiguous


@pytest.mark.parametrize("key", [None, "state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_trees_and_prefixes(save, torch, key, prefix):
    weights = {f"{prefix}layer.weight": torch.ones(2, 2), f"{prefix}layer.bias": torch.zeros(2)}
    tree = weights if key is None else {key: weights, "epoch": 3, "best": 0.5, "args": ["x", None, True]}
    assert set(read_torch_weights(save(tree))) == {"layer.weight", "layer.bias"}


def test_a_network_s_own_state_and_an_optimizer_beside_it(save, torch):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    path = save({"state_dict": network.state_dict(), "optimizer": optimizer.state_dict()})
    read = read_torch_weights(path)
    assert {name: array.shape for name, array in read.items()} == {
        name: tuple(tensor.shape) for name, tensor in network.state_dict().items()
    }
    for name, tensor in network.state_dict().items():
        assert np.array_equal(read[name], tensor.numpy())


def test_safetensors(torch, tmp_path):
    from safetensors.torch import save_file

    save_file(
        {"module.a": torch.ones(2, 3), "b": torch.zeros(1, dtype=torch.float16)}, tmp_path / "w.safetensors"
    )
    read = read_torch_weights(tmp_path / "w.safetensors")
    assert {name: array.shape for name, array in read.items()} == {"a": (2, 3), "b": (1,)}


# ---------------------------------------------------------------- what is refused
class Hostile:
    """Pickles as a call of `function(*arguments)`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


HOSTILE = [
    (Hostile(os.system, "touch owned"), r"posix\.system|nt\.system|os\.system"),
    (Hostile(eval, "open('owned', 'w')"), r"builtins\.eval|__builtin__\.eval"),
    (Hostile(exec, "open('owned', 'w')"), r"builtins\.exec|__builtin__\.exec"),
    (Hostile(getattr, "x", "upper"), r"builtins\.getattr|__builtin__\.getattr"),
    (Hostile(open, "owned", "w"), r"io\.open"),
    (Hostile(subprocess.call, "touch owned"), r"(subprocess|commands)\.call"),
    (Hostile(__import__, "os"), r"__import__"),
    (Hostile(np.load, "x", None, True), r"numpy.*load"),
    (Hostile(pickle.loads, b"x"), r"pickle\.loads"),
]


@pytest.mark.parametrize(("value", "named"), HOSTILE, ids=[named for _, named in HOSTILE])
@pytest.mark.parametrize("protocol", [2, 4])
def test_hostile_pickles_are_refused_by_name(tmp_path, monkeypatch, value, named, protocol):
    import re

    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"state_dict": {"weight": value}}, protocol)
    with zipfile.ZipFile("w.pth", "w") as archive:
        archive.writestr("w/data.pkl", data)
        archive.writestr("w/data/0", b"\0" * 16)
    line = fails(tmp_path / "w.pth")
    assert re.search(named, line), line
    magic, version = (pickle.dumps(number, 2) for number in (0x1950A86A20F9469CFC6C, 1001))
    data = pickle.dumps({"state_dict": {"weight": value}}, 2)
    (tmp_path / "old.pth").write_bytes(magic + version + pickle.dumps({}, 2) + data + pickle.dumps([], 2))
    assert re.search(named, fails(tmp_path / "old.pth"))
    assert not (tmp_path / "owned").exists()


def archive_of(path, tree, storages, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("w/data.pkl", tree)
        for key, data in storages.items():
            archive.writestr(f"w/data/{key}", data)
    return path


def tensor_pickle(count, offset, shape, strides):
    """{"a": tensor} as PyTorch pickles it, over storage "0" of `count` floats."""

    class Storage:
        pass

    class FloatStorage:
        pass

    class Tensor:
        def __reduce__(self):
            return (rebuild, (Storage(), offset, shape, strides, False, {}))

    def rebuild():
        pass

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            return ("storage", FloatStorage, "0", "cpu", count) if isinstance(value, Storage) else None

        def save_global(self, value, name=None):
            self.write(b"c" + f"{value.__module__}\n{value.__qualname__}\n".encode())

    Pickler.dispatch = {
        **pickle._Pickler.dispatch,
        type: Pickler.save_global,
        type(rebuild): Pickler.save_global,
    }

    stream = io.BytesIO()
    Pickler(stream, 2).dump({"a": Tensor()})
    return stream.getvalue()


def test_the_hand_made_pickle_is_like_pytorch_s(tmp_path):
    data = np.arange(6, dtype=np.float32)
    path = archive_of(tmp_path / "w.pth", tensor_pickle(6, 1, (2, 2), (2, 1)), {"0": data.tobytes()})
    assert read_torch_weights(path)["a"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("count", "offset", "shape", "strides", "named"),
    [
        (6, 0, (7,), (1,), "outside of its storage"),
        (6, 5, (2,), (1,), "outside of its storage"),
        (6, -1, (2,), (1,), "outside of its storage"),
        (6, 0, (2,), (-1,), "outside of its storage"),
        (6, 0, (-2,), (1,), "outside of its storage"),
        (6, 0, (2, 2), (1,), "does not refer to a storage"),
        (6, 0, (2**32, 2**32), (1, 1), "outside of its storage"),
        (6, 0, (2**40,), (0,), "claims"),
        (6, 0, (2**32, 2**32), (0, 0), "claims"),
        (2**40, 0, (2**40,), (1,), "not of the size it claims"),
    ],
)
def test_tensors_that_claim_what_is_not_there(tmp_path, count, offset, shape, strides, named):
    tree = tensor_pickle(count, offset, shape, strides)
    assert named in fails(archive_of(tmp_path / "w.pth", tree, {"0": b"\0" * 24}))


def test_archives_that_swell_are_encrypted_or_are_something_else(tmp_path):
    tree = tensor_pickle(6, 0, (6,), (1,))
    packed = archive_of(tmp_path / "z.pth", tree, {"0": b"\0" * 24}, compression=zipfile.ZIP_DEFLATED)
    assert "is compressed" in fails(packed)
    other = tmp_path / "o.pth"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "no weights")
    assert "not one that PyTorch wrote" in fails(other)
    locked = bytearray(archive_of(tmp_path / "l.pth", tree, {"0": b"\0" * 24}).read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = locked.find(signature)
        while place >= 0:
            locked[place + at] |= 1  # "needs a password"
            place = locked.find(signature, place + 4)
    (tmp_path / "l.pth").write_bytes(locked)
    assert "is damaged" in fails(tmp_path / "l.pth")
    with zipfile.ZipFile(tmp_path / "b.pth", "w") as archive:
        archive.writestr("w/data.pkl", tree)
        archive.writestr("w/byteorder", b"big")
        archive.writestr("w/data/0", b"\0" * 24)
    assert "big end first" in fails(tmp_path / "b.pth")


def test_files_that_hold_no_weights(save, torch, tmp_path):
    assert "holds no named weights" in fails(save({"epoch": 3}))
    assert "holds no named weights" in fails(save([torch.ones(2)]))
    assert "holds no named weights" in fails(save(torch.ones(2)))
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"a": 1}, 2))
    assert "holds no named weights (it holds a)" in fails(tmp_path / "plain.pth")
    (tmp_path / "picture.pth").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 100)
    assert "is a PNG picture" in fails(tmp_path / "picture.pth")
    (tmp_path / "empty.pth").write_bytes(b"")
    assert "is empty" in fails(tmp_path / "empty.pth")
    assert "No such file" in fails(tmp_path / "absent.pth")


def test_cut_short_or_flipped(save, torch, tmp_path):
    torch.manual_seed(0)
    path = save({"a.weight": torch.randn(8, 8), "a.bias": torch.randn(8)})
    whole = path.read_bytes()
    good = read_torch_weights(path)
    for length in range(0, len(whole) - 1, 13):
        path.write_bytes(whole[:length])
        fails(path)
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 300).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            read = read_torch_weights(path)
        except ModelFileError as error:
            assert "\n" not in str(error), error  # noqa: PT017
        else:  # a bit that says nothing, or, in the old format, which has no checksum, one in a number
            assert all(isinstance(array, np.ndarray) for array in read.values())
    assert set(good) == {"a.weight", "a.bias"}


# ---------------------------------------------------------------- into our networks
def foreign_names(torch, model="resnet8", width=4, classes=10, shortcut="A"):
    """Weights under PyTorch's names and layouts, as a user would have them, for one of our networks."""
    options = ModelOptions(model=model, width=width, shortcut=shortcut)
    network = build_model(options, channels=3, classes=classes)
    variables = network.init(np.random.default_rng(0))
    weights = {}
    for name, array in flatten(variables).items():
        if array.ndim == 4:
            array = array.transpose(3, 2, 0, 1)
        elif array.ndim == 2:
            array = array.T
        stage = name.split(".")
        if stage[0].startswith("stage"):
            block = f"layer{stage[0][5:]}.{stage[1]}"
            kind = {"conv": "conv", "norm": "bn"}
            if stage[2] == "body":
                name = f"{block}.{kind[stage[4]]}{stage[3][4:]}.{stage[-1]}"
            else:
                name = f"{block}.shortcut.{0 if stage[3] == 'conv' else 1}.{stage[-1]}"
        else:
            name = name.replace("stem.conv", "conv1").replace("stem.norm", "bn1").replace("head", "linear")
        weights[name] = torch.tensor(np.ascontiguousarray(array))
    return network, variables, weights


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_the_architecture_is_found_by_its_weights(save, torch, tmp_path, shortcut):
    _, variables, weights = foreign_names(torch, shortcut=shortcut)
    weights = {f"module.{name}": tensor for name, tensor in weights.items()}
    weights["module.bn1.num_batches_tracked"] = torch.tensor(3)
    path = save({"state_dict": weights})
    file, model = import_weights(path, size=16, classes=",".join("abcdefghij"))
    assert file == tmp_path / "w.model.safetensors"
    assert model.name == "resnet8"
    assert model.classes == tuple("abcdefghij")
    assert (model.preprocessing.height, model.preprocessing.mean) == (16, (0.485, 0.456, 0.406))
    loaded = load_model(file)
    for name, array in flatten(variables).items():
        assert np.array_equal(flatten(loaded.variables)[name], array), name


def test_half_and_double_weights_become_single(save, torch):
    _, variables, weights = foreign_names(torch)
    for kind in (torch.float16, torch.float64):
        path = save({name: tensor.to(kind) for name, tensor in weights.items()})
        _, _, filled = fit_weights(read_torch_weights(path), None, "w")
        for name, array in flatten(filled).items():
            assert array.dtype == np.float32
            np.testing.assert_allclose(array, flatten(variables)[name], atol=1e-3)


def test_what_does_not_fit_is_named(save, torch, capsys):
    _, _, weights = foreign_names(torch)
    path = save(weights)
    line = refused(capsys, "import", path, "--model", "resnet20")
    assert "missing stage1.1.body.conv1.conv.weight" in line
    line = refused(capsys, "import", path, "--model", "resnet21")
    assert "there is no model 'resnet21'. Did you mean" in line
    extra = save(weights | {"fc2.weight": torch.ones(3, 3)}, "extra.pth")
    assert "unexpected fc2.weight" in refused(capsys, "import", extra, "--model", "resnet8")
    line = refused(capsys, "import", extra)
    assert "unexpected fc2.weight" in line
    assert "(residual, 8 layers is the nearest model here)" in line
    bent = save(weights | {"bn1.weight": torch.ones(5)}, "bent.pth")
    for asked in (["--model", "resnet8"], []):
        line = refused(capsys, "import", bent, *asked)
        assert "misshapen stem.norm.weight (5,) instead of (4,)" in line
    line = refused(capsys, "import", save({"a.weight": torch.ones(3, 3)}, "strange.pth"))
    assert "belong to no model here" in line
    assert "residua models" in line


def test_an_archive_that_is_cut_short_says_so(save, torch, capsys):
    path = save(foreign_names(torch)[2])
    path.write_bytes(path.read_bytes()[:-2000])
    line = refused(capsys, "import", path)
    assert "damaged" in line
    assert line.rstrip().endswith("Fetch the file again.")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--classes", "a,b"], "--classes takes 10 different names for this network; 2 came"),
        (["--classes", ",".join("aabcdefghi")], "--classes takes 10 different names"),
        (["--mean", "0.5"], "--mean takes 3 numbers for this network, one per channel"),
        (["--std", "0", "0", "0"], "standard deviations above zero"),
        (["--size", "4"], "--size takes at least 8 pixels"),
        (["--output", "/dev/null/m.safetensors"], "--output takes a file that can be written"),
    ],
)
def test_options_that_do_not_fit(torch, tmp_path, capsys, options, named):
    torch.save(foreign_names(torch)[2], tmp_path / "w.pth")
    assert named in refused(capsys, "import", tmp_path / "w.pth", *options)
    assert os.listdir(tmp_path) == ["w.pth"]


def test_import_from_the_command_line_needs_no_pytorch(torch, tmp_path):
    """End to end, in a process in which importing torch fails."""
    torch.save(foreign_names(torch)[2], tmp_path / "w.pth")
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from residua.cli import run\n"
        "sys.exit(run(['import', 'w.pth', '--classes', 'cifar10']))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "resnet8 with 5,006 parameters, 10 classes" in done.stdout
    assert "Model file: w.model.safetensors" in done.stdout
    assert load_model(tmp_path / "w.model.safetensors").classes[:2] == ("airplane", "automobile")


# ---------------------------------------------------------------- published weights
PUBLISHED = {
    "resnet20": ("resnet20-12fca82f.th", 9173),
    "resnet32": ("resnet32-d509ac18.th", 9263),
    "resnet44": ("resnet44-014dd654.th", None),
    "resnet56": ("resnet56-4bfd9763.th", None),
}
IMAGENET = Preprocessing(32, 32, 3, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture(scope="session")
def cifar_test(data_dir):
    folder = data_dir / "cifar-10-batches-py"
    if not (folder / "test_batch").exists():
        pytest.skip("CIFAR-10's test pictures are not in RESIDUA_DATA")
    return read_cifar(folder, "test", 10)


def published(data_dir, name):
    path = data_dir / "weights" / "cifar10-resnets" / PUBLISHED[name][0]
    if not path.exists():
        pytest.skip(f"{path.name} is not in RESIDUA_DATA/weights/cifar10-resnets")
    return path


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_weights_are_recognised(data_dir, name):
    path = published(data_dir, name)
    found, _, variables = fit_weights(read_torch_weights(path), None, str(path))
    assert found == name
    assert count_parameters(variables) == MODELS[name].parameters


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["resnet20", "resnet32"])
def test_published_weights_answer_exactly_as_published(data_dir, cifar_test, tmp_path, capsys, name):
    """All 10,000 test pictures, through the program: import, then evaluate."""
    import json

    path = shutil.copy(published(data_dir, name), tmp_path / "w.th")
    answered(capsys, "import", path, "--classes", "cifar10")
    out = answered(
        capsys,
        *("evaluate", tmp_path / "w.model.safetensors", "--json", "--engine", "numpy"),
        *("--data-dir", data_dir, "--threads", "1"),
    )
    found = json.loads(out)
    assert found["pictures"] == 10_000
    assert found["correct"] == PUBLISHED[name][1]


def test_published_weights_agree_with_pytorch(torch, data_dir, cifar_test):
    """The same network in PyTorch, written here, on 500 real pictures: probabilities to 1e-5."""
    path = published(data_dir, "resnet20")
    weights = {name: torch.tensor(array) for name, array in read_torch_weights(path).items()}
    theirs = torch.load(path, weights_only=True, map_location="cpu")["state_dict"]
    for name, tensor in theirs.items():
        assert torch.equal(tensor, weights[name.removeprefix("module.")])
    pictures = IMAGENET.normalize(cifar_test.images[:500])
    expected = peer(torch, weights, torch.tensor(pictures.transpose(0, 3, 1, 2))).numpy()
    _, network, variables = fit_weights(read_torch_weights(path), "resnet20", str(path))
    frozen, folded = network.freeze(variables)
    ours = np.asarray(make_infer(NumpyEngine(), frozen)(folded, pictures))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5)
    assert (ours.argmax(1) == expected.argmax(1)).all()


def peer(torch, w, x):
    """ResNet-20 with shortcut A in PyTorch's functions, probabilities."""
    functional = torch.nn.functional

    def conv_norm(x, conv, norm, stride=1):
        x = functional.conv2d(x, w[f"{conv}.weight"], stride=stride, padding=1)
        statistics = (w[f"{norm}.running_mean"], w[f"{norm}.running_var"])
        return functional.batch_norm(x, *statistics, w[f"{norm}.weight"], w[f"{norm}.bias"], eps=1e-5)

    with torch.no_grad():
        x = functional.relu(conv_norm(x, "conv1", "bn1"))
        for stage in (1, 2, 3):
            for block in range(3):
                name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
                y = functional.relu(conv_norm(x, f"{name}.conv1", f"{name}.bn1", stride))
                y = conv_norm(y, f"{name}.conv2", f"{name}.bn2")
                if stride == 2:
                    more = (y.shape[1] - x.shape[1]) // 2
                    x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, more, more))
                x = functional.relu(x + y)
        logits = functional.linear(x.mean((2, 3)), w["linear.weight"], w["linear.bias"])
        return functional.softmax(logits, 1)
