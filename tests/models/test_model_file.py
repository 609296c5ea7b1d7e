"""The model file: bit for bit what was saved, strict about every weight, and harmless whatever it holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from tiny import call

from residua.config import ModelOptions
from residua.data.preprocessing import Preprocessing
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ModelFileError
from residua.files.tensors import read_tensors, write_tensors
from residua.layers import (
    GELU,
    Add,
    AveragePool2d,
    BatchNorm1d,
    BatchNorm2d,
    CapsuleNetwork,
    Concatenate,
    Conv2d,
    ConvNorm,
    DepthwiseConv2d,
    DigitCapsules,
    Dropout,
    Dropout2d,
    Ensemble,
    Flatten,
    GlobalAveragePool,
    GroupedConv2d,
    Identity,
    LeakyReLU,
    Lengths,
    Linear,
    LocalResponseNorm,
    Logarithm,
    LogSoftmax,
    MaxPool2d,
    MultiplyConstant,
    NearestUpsample2d,
    Parallel,
    PrimaryCapsules,
    ReflectionPad2d,
    ReLU,
    ReplicationPad2d,
    Reshape,
    Residual,
    ScaleShift,
    Sequential,
    Shares,
    Sigmoid,
    SiLU,
    Softmax,
    SubsamplePad,
    Tanh,
    Threshold,
    TransposedConv2d,
    ZeroPad2d,
)
from residua.models import build_model
from residua.models.model_file import KIND, VERSION, Model, load_model, save_model
from residua.training.inference import make_infer
from residua.variables import flatten

GOLDEN = Path(__file__).parents[1] / "golden" / "model-v1.safetensors"
EXPECTED = GOLDEN.with_suffix(".json")
LOOK = Preprocessing(8, 8, 3, (0.1, 0.2, 1 / 3), (0.25, 0.5, 1 / 7))


def small(seed=0, width=2, classes=("ä", "dog", "犬")):
    network = build_model(ModelOptions(model="resnet8", width=width), channels=3, classes=len(classes))
    variables = network.init(np.random.default_rng(seed))
    return Model("resnet8", network, variables, classes, LOOK, {"data": "x", "seed": 3})


def stir(variables, seed=0):
    """Other numbers in every array, so that none is what a fresh network has anyway."""
    rng = np.random.default_rng(seed)

    def change(value):
        if isinstance(value, dict):
            return {name: change(inner) for name, inner in value.items()}
        return value if value.dtype.kind != "f" else rng.uniform(0.5, 2, value.shape).astype(value.dtype)

    return change(variables)


def refused(path):
    with pytest.raises(ModelFileError) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    save_model(tmp_path / "m.safetensors", small())
    return tmp_path / "m.safetensors"


# ---------------------------------------------------------------- round trip
CAPSULES = CapsuleNetwork(
    {"primary": PrimaryCapsules(2, 1, 2, 2, 1), "digit": DigitCapsules(4, 2, 8, 2, 2)},
    Sequential({"hidden": Linear(16, 18), "shape": Reshape((3, 3, 2))}),
    reconstruction=0.25,
)
EVERY_LAYER = Sequential(
    {
        "conv": Conv2d(3, 4, kernel=3, bias=True),
        "norm": BatchNorm2d(4),
        "relu": ReLU(),
        "scale": ScaleShift(4, relu=True),
        "a": Residual(ConvNorm(Conv2d(4, 4)), Identity()),
        "b": Residual(ConvNorm(Conv2d(4, 8, stride=2), momentum=0.3), SubsamplePad(4, 8)),
        "add": Add({"a": GroupedConv2d(8, 8), "b": DepthwiseConv2d(8, bias=True)}),
        "leaky": LeakyReLU(0.1),
        "bend": GELU(),
        "bend more": SiLU(),
        "valid": Conv2d(8, 8, 1, 1, 0, fixed=True),
        "unscaled": BatchNorm2d(8, momentum=0.4, eps=1e-12, scale=False),
        "join": Concatenate({"a": Tanh(), "b": Sequential({"c": Sigmoid(), "d": Dropout2d(0.1)})}),
        "respond": LocalResponseNorm(3, alpha=0.01),
        "parallel": Parallel({"a": Softmax(), "b": LogSoftmax()}, 16),
        "threshold": Threshold(-1.0, -1.0),
        "logarithm": Logarithm(),
        "times": MultiplyConstant(0.5),
        "grow": TransposedConv2d(16, 8, 2, 2, 0, bias=True),
        "up": NearestUpsample2d(3),
        "zeros": ZeroPad2d(0, 1, 2, 3),
        "mirror": ReflectionPad2d(),
        "edge": ReplicationPad2d(),
        "shape": Reshape((33, 29, 8)),
        "max": MaxPool2d(2),
        "average": AveragePool2d(2),
        "mean": GlobalAveragePool(),
        "flatten": Flatten(),
        "pairs": Reshape((4, 2)),
        "lengths": Lengths(),
        "shares": Shares(),
        "wide": Linear(4, 18),
        "square": Reshape((3, 3, 2)),
        "ensemble": Ensemble(
            {"capsules": CAPSULES, "plain": Sequential({"flat": Flatten(), "head": Linear(18, 8)})},
            "weighted",
            (0.25, 0.75),
            ((1.0, 2.0), (3.0, 4.0)),
            ((0.0, 1.0), (0.5, -1.0)),
        ),
        "hidden": Linear(8, 6),
        "norm1": BatchNorm1d(6),
        "dropout": Dropout(0.5),
        "head": Linear(6, 3, bias=False),
    }
)


def test_every_layer_comes_back_bit_for_bit(tmp_path):
    from residua.layers import LAYERS

    seen = set()

    def collect(layer):
        seen.add(type(layer).__name__)
        for value in vars(layer).values():
            for inner in value.values() if isinstance(value, dict) else [value]:
                if type(inner).__name__ in LAYERS:
                    collect(inner)

    collect(EVERY_LAYER)
    assert seen == set(LAYERS), "a layer that is not in this test"
    variables = stir(EVERY_LAYER.init(np.random.default_rng(0)))
    saved = Model("mine", EVERY_LAYER, variables, ("a", "b", "c"), LOOK, {"seed": 1})
    save_model(tmp_path / "m", saved)
    loaded = load_model(tmp_path / "m")
    assert replace(loaded, variables={}) == replace(saved, variables={})
    before, after = flatten(variables), flatten(loaded.variables)
    assert list(before) == list(after)
    for name, array in before.items():
        assert after[name].dtype == array.dtype
        assert after[name].tobytes() == array.tobytes(), name


def test_the_same_model_gives_the_same_bytes(tmp_path):
    """In another process too, whose hashes of strings differ."""
    save_model(tmp_path / "one", small())
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from test_model_file import small, save_model\n"
        "save_model(sys.argv[1], small())\n"
    )
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "helpers")]
    arguments = [sys.executable, "-c", program, str(tmp_path / "two"), *folders]
    subprocess.run(arguments, check=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_other_programs_can_read_the_weights(path):
    assert {name: array.shape for name, array in load(path.read_bytes()).items()} == {
        name: array.shape for name, array in flatten(small().variables).items()
    }


# ---------------------------------------------------------------- the golden file
def golden_answer(model):
    frozen, variables = model.frozen()
    images = np.random.default_rng(1).integers(0, 256, (4, 8, 8, 3), np.uint8)
    engine = NumpyEngine()
    return np.asarray(make_infer(engine, frozen)(variables, model.preprocessing.normalize(images)))


def test_a_file_of_format_1_is_read_for_ever():
    """If this fails, files that people have no longer load: mend the reader, do not write the file anew."""
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    model = load_model(GOLDEN)
    assert list(model.classes) == expected["classes"]
    assert model.preprocessing == LOOK
    assert model.training == expected["training"]
    np.testing.assert_allclose(golden_answer(model), expected["probabilities"], rtol=0, atol=1e-5)


# ---------------------------------------------------------------- damage
def test_cut_short_anywhere(path):
    whole = path.read_bytes()
    header = int.from_bytes(whole[:8], "little")
    lengths = {*range(12), *range(12, header + 8, 97), header + 7, header + 8, header + 9}
    lengths |= {*range(header, len(whole), 211), len(whole) - 1}
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        assert "opy" in refused(path)  # a copy, an earlier checkpoint
    path.write_bytes(whole + b"x")
    refused(path)


def test_a_flipped_bit_anywhere(path):
    whole = path.read_bytes()
    header = int.from_bytes(whole[:8], "little")
    rng = np.random.default_rng(0)
    places = {*range(8), *rng.integers(8, header + 8, 400).tolist()}
    places |= set(rng.integers(header + 8, len(whole), 150).tolist()) | {len(whole) - 1}
    for place in sorted(places):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        refused(path)


def test_every_byte_of_a_small_header_matters(tmp_path):
    file = tmp_path / "t"
    write_tensors(file, "thing", 1, {"w": np.arange(3, dtype=np.float32)}, {"a": 1})
    whole = file.read_bytes()
    for place in range(len(whole)):
        for bit in (0, 3, 5, 7):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            file.write_bytes(damaged)
            if (found := readable(file)) is not None:  # spaces that fill the header up, and nothing else
                assert whole[place : place + 1] == b" "
                assert found == ([0, 1, 2], {"a": 1})


def readable(file):
    """What the file holds, or None where it is refused in one line."""
    try:
        arrays, document = read_tensors(file, "thing", 1)
    except ModelFileError as error:
        return None if "\n" not in str(error) else str(error)
    return arrays["w"].tolist(), document


@pytest.mark.parametrize("claim", [10 * 2**30, 2**63, 2**64 - 1, 100 * 2**20 + 1])
def test_a_header_that_claims_gigabytes(path, claim):
    whole = path.read_bytes()
    path.write_bytes(claim.to_bytes(8, "little") + whole[8:])
    assert f"its header claims {claim:,} bytes" in refused(path)


def test_arrays_that_claim_gigabytes(tmp_path):
    header = {"w": {"dtype": "F32", "shape": [10 * 2**30], "data_offsets": [0, 40 * 2**30]}}
    text = json.dumps(header).encode()
    (tmp_path / "m").write_bytes(len(text).to_bytes(8, "little") + text + b"x" * 100)
    refused(tmp_path / "m")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_at_all(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(data)
    refused(path)


# ---------------------------------------------------------------- strict
def rewrite(path, change):
    """The file with changed arrays and document, and a checksum that is right again."""
    arrays, document = read_tensors(path, KIND, VERSION)
    arrays = dict(arrays)
    change(arrays, document)
    write_tensors(path, KIND, VERSION, arrays, document)


def test_missing_unexpected_and_misshapen_weights_are_named(path):
    def change(arrays, document):
        del arrays["stem.conv.weight"]
        arrays["extra.weight"] = np.zeros(1, np.float32)
        arrays["head.bias"] = np.zeros(7, np.float32)

    rewrite(path, change)
    line = refused(path)
    assert "missing stem.conv.weight;" in line
    assert "unexpected extra.weight;" in line
    assert "misshapen head.bias (7,) instead of (3,)" in line


@pytest.mark.parametrize("key", ["name", "network", "classes", "preprocessing", "training"])
def test_an_entry_that_is_missing_or_of_another_kind(path, key):
    whole = path.read_bytes()
    rewrite(path, lambda arrays, document: document.pop(key))
    assert f"'{key}' is missing" in refused(path)
    for value in (None, 3, [], "x", {"layer": 3}, [[]], {"layer": "Linear"}):
        if key == "name" and value == "x":
            continue
        path.write_bytes(whole)

        def change(arrays, document, value=value):
            document[key] = value

        if key == "training" and value == {"layer": 3}:
            continue
        if key == "training" and value == {"layer": "Linear"}:
            continue
        rewrite(path, change)
        refused(path)


def test_names_of_classes_must_fit_the_network(path):
    rewrite(path, lambda arrays, document: document["classes"].append("fourth"))
    assert "its network gives (3,), for 4 names of classes" in refused(path)


def test_a_newer_format_and_another_kind(tmp_path):
    write_tensors(tmp_path / "new", KIND, VERSION + 1, {"x": np.zeros(1)}, {})
    assert "written in format 2 by a newer residua; this one reads up to format 1" in refused(
        tmp_path / "new"
    )
    write_tensors(tmp_path / "other", "checkpoint", 1, {"x": np.zeros(1)}, {})
    assert "is a checkpoint, where a model file is needed" in refused(tmp_path / "other")
    (tmp_path / "foreign").write_bytes(save({"x": np.zeros(1)}))
    assert "come in by `residua import`" in refused(tmp_path / "foreign")


# ---------------------------------------------------------------- hostile
@pytest.mark.parametrize(
    "network",
    [
        {"layer": "os.system", "command": "touch owned"},
        {"layer": "__import__"},
        {"layer": "Model"},
        {"layer": "Linear", "__class__": "os.system"},
        {"layer": "Linear", "in_features": 4, "out_features": 3, "init": "touch owned"},
        {"layer": "Linear", "in_features": "__import__('os')", "out_features": 3},
        {"layer": "Linear", "in_features": True, "out_features": 3},
        {"layer": "Linear", "in_features": -1, "out_features": 3},
        {"layer": "Linear", "in_features": 1e400, "out_features": 3},
        {"layer": "Linear", "in_features": 10**12, "out_features": 3},
        {"layer": ["Linear"]},
        {"layer": "Sequential", "layers": {"a": {"layer": "eval"}}},
        {"layer": "Sequential", "layers": {"__class__": 3}},
        {"layer": "Sequential", "layers": [1, 2]},
        {"layer": "Sequential", "layers": "abc"},
        {"layer": "Residual", "body": 3, "shortcut": None},
        [],
        None,
        "Linear",
    ],
    ids=lambda value: json.dumps(value, default=str)[:50],
)
def test_hostile_descriptions_are_refused(path, tmp_path, monkeypatch, network):
    monkeypatch.chdir(tmp_path)

    def change(arrays, document):
        document["network"] = json.loads(json.dumps(network).replace("Infinity", "1e308"))

    rewrite(path, change)
    refused(path)
    assert not (tmp_path / "owned").exists()


def test_a_network_that_claims_more_memory_than_the_file_holds(path):
    """30 kilobytes that describe a linear layer of 8 GB."""
    wide = {"layer": "Linear", "in_features": 192, "out_features": 10**7, "bias": False}

    def change(arrays, document):
        document["network"] = {
            "layer": "Sequential",
            "layers": {
                "flatten": {"layer": "Flatten"},
                "wide": wide,
                "narrow": wide | {"in_features": 10**7, "out_features": 3},
            },
        }

    rewrite(path, change)
    assert "a network much larger than the weights that it holds" in refused(path)


def set_at(document, keys, value):
    """One value deep in a document, put in place."""
    *way, last = keys
    for key in way:
        document = document[key]
    document[last] = value


GROWING = [
    {"layer": "NearestUpsample2d", "factor": 2**20},
    {"layer": "SubsamplePad", "in_channels": 3, "out_channels": 2**24},
]
MADE_UP = [
    (("preprocessing", "height"), 10**6, "no number of pixels"),
    (("preprocessing", "height"), 8.0, "no number of pixels"),
    (("preprocessing", "channels"), "3", "no number of pixels"),
    (("preprocessing", "mean"), [0, 0, 1e30], "far from those of any pictures"),
    (("preprocessing", "std"), [1, 1, 1e-30], "far from those of any pictures"),
    (("preprocessing", "std"), [1, 1, 10**400], "malformed"),
    (("preprocessing", "resize"), 2**31, "no number of pixels"),
    (("preprocessing", "source"), [20_000, 20_000], "more than any network"),
    (("network", "layers", "stem", "conv", "out_channels"), 2**40, "cannot be 1099511627776"),
    (("network", "layers", "stem", "eps"), 0.0, "eps cannot be 0.0"),
    (("network", "layers", "stem", "momentum"), 1e300, "momentum cannot be"),
    (("training", "seed"), [1], "'seed' is [1], where a whole number"),
    (("training", "seed"), -1, "'seed' is -1"),
    (("training", "seed"), None, "'seed' is None"),
    (("training", "data"), 3, "'data' is 3, where a name or path belongs"),
    (("training", "data"), "a\0b", "where a name or path belongs"),
    (("training", "validation"), "x", "'validation' is 'x'"),
    (("training", "test"), 2, "'test' is 2"),
    (("training", "size"), 10**9, "'size' is"),
    (("training", "region"), 1, "'region' is 1"),
    (("training", "labels"), 3, "'labels' is 3"),
    (("training", "labels"), [[1]], "'labels' is [[1]]"),
    (("training", "parameters"), [1], "'parameters' is [1]"),
    (("training", "history"), {"a": 1}, "'history' is"),
    (("training", "at"), None, "'at' is None"),
    (("training", "members"), [{"file": 3}], "'members' is"),
    (("training", "x"), "y" * 20_000, "a text of 20,000 letters"),
    (("training", "x"), 2**200, "more than 128 bits"),
    (("classes",), "abc", "its names are no text"),
    (("classes",), ["a", "b", "c" * 5000], "thousands of letters"),
    (("name",), "x" * 50_000, "thousands of letters"),
    (("training", "data"), "\ud800", "where a name or path belongs"),
    (
        ("calibration",),
        {"temperature": 1.0, "data": "", "pictures": 0, "coverages": [[0.5, 10**400, 10**400]]},
        "no counts",
    ),
    (("calibration",), {"temperature": 1e-300, "data": "", "pictures": 0, "coverages": []}, "temperature"),
]


@pytest.mark.parametrize(("keys", "value", "reason"), MADE_UP, ids=range(len(MADE_UP)))
def test_whatever_a_file_says_is_held_against_bounds(path, keys, value, reason):
    rewrite(path, lambda arrays, document: set_at(document, keys, value))
    assert reason in refused(path)


@pytest.mark.parametrize("grow", GROWING, ids=lambda grow: grow["layer"])
def test_a_network_of_enormous_maps_is_refused_before_it_is_computed(path, grow):
    def change(arrays, document):
        layers = {"grow": grow, "rest": document["network"]}
        document["network"] = {"layer": "Sequential", "layers": layers}

    rewrite(path, change)
    line = refused(path)
    assert "for one picture it would make" in line or "needs pictures" in line


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_weights_without_an_answer_are_named(path, value):
    def change(arrays, document):
        arrays["stem.norm.running_var"] = np.full_like(arrays["stem.norm.running_var"], value)

    rewrite(path, change)
    assert "stem.norm.running_var holds" in refused(path)


def test_weights_of_another_kind_of_number_are_named(path):
    def change(arrays, document):
        arrays["head.bias"] = arrays["head.bias"].astype(bool)

    rewrite(path, change)
    assert "of another kind head.bias bool instead of float32" in refused(path)


def test_nesting_beyond_what_python_can_read(path, capsys):
    whole = path.read_bytes()
    header = int.from_bytes(whole[:8], "little")
    document = json.loads(whole[8 : 8 + header])
    inner = json.loads(document["__metadata__"]["residua"])
    inner["document"] = "[" * 200_000
    document["__metadata__"]["residua"] = json.dumps(inner)
    text = json.dumps(document).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + header :])
    refused(path)
    deep = {"layer": "Flatten"}
    for _ in range(400):
        deep = {"layer": "Sequential", "layers": {"a": deep}}
    path.write_bytes(whole)

    def change(arrays, document):
        document["network"] = deep

    rewrite(path, change)
    refused(path)
    code, _, err = call(capsys, "summary", path)
    assert code == 2
    assert len(err.splitlines()) == 1


def test_no_pickle_is_used(path):
    """Loading a model, a checkpoint or PyTorch's weights never imports Python's pickle machine to load."""
    program = f"""
import pickle
def never(*arguments, **options):
    raise SystemExit("a pickle was loaded")
pickle.load = pickle.loads = pickle.Unpickler = never
from residua.models.model_file import load_model
load_model({str(path)!r})
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    sources = Path(sys.modules["residua"].__file__).parent.rglob("*.py")
    for source in sources:
        words = source.read_text(encoding="utf-8")
        for call_ in ("pickle.load", "Unpickler(", "allow_pickle=True", "torch.load("):
            assert call_ not in words, f"{source.name} uses {call_}"
        # Not a method of that name, such as a PyTorch module's.
        assert not re.search(r"(?<![\w.])(eval|exec)\(", words), f"{source.name} runs text as code"


if __name__ == "__main__":  # writes the golden file of this format, once
    model = small(seed=11)
    model = replace(model, variables=stir(model.variables, 11), training={"data": "digits", "seed": 0})
    save_model(GOLDEN, model)
    EXPECTED.write_text(
        json.dumps(
            {
                "classes": list(model.classes),
                "training": model.training,
                "probabilities": golden_answer(model).tolist(),
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
