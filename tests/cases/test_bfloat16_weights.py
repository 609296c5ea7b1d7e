"""Weights in bfloat16, float16 and float64 are read; other numbers are named, nothing is called damaged."""

from __future__ import annotations

import json

import numpy as np
import pytest
from foreign_files import foreign_weights, safetensors_bytes
from tiny import answered, paint, refused

from residua import import_weights, load_model
from residua.errors import ModelFileError
from residua.files.published_weights import read_weights
from residua.variables import flatten

WEIGHTS = foreign_weights()


def imported(path, **options):
    _, model = import_weights(path, size=8, **options)
    return flatten(model.variables)


@pytest.mark.parametrize(("kind", "bits"), [("F16", 10), ("BF16", 7), ("F64", 23)])
def test_the_weights_come_in_as_near_as_their_numbers_are(tmp_path, capsys, kind, bits):
    (tmp_path / "plain.safetensors").write_bytes(safetensors_bytes(WEIGHTS))
    (tmp_path / "other.safetensors").write_bytes(safetensors_bytes(WEIGHTS, kind))
    plain, other = imported(tmp_path / "plain.safetensors"), imported(tmp_path / "other.safetensors")
    for name, array in plain.items():
        assert other[name].dtype == np.float32
        np.testing.assert_allclose(other[name], array, rtol=2.0**-bits, atol=1e-7)
    answered(
        capsys, "import", tmp_path / "other.safetensors", "--size", 8, "--output", tmp_path / "m.safetensors"
    )
    picture = paint(tmp_path / "red.png", (200, 40, 30), 0)
    assert "class" in answered(capsys, "predict", tmp_path / "m.safetensors", picture)


def test_check_of_the_folder_says_that_there_are_no_pictures(tmp_path, capsys):
    (tmp_path / "brain.safetensors").write_bytes(safetensors_bytes(WEIGHTS, "BF16"))
    line = refused(capsys, "check", tmp_path)
    assert "holds no pictures, but a file of weights, " in line
    assert "brain.safetensors (make a model of it with residua import)" in line
    np.savez(tmp_path / "archive.npz", a=np.zeros(3))
    (tmp_path / "archive.npz").rename(tmp_path / "w.pth")
    line = refused(capsys, "check", tmp_path / "w.pth")
    assert "w.pth is a file: a file of weights (make a model of it with residua import)" in line


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2"])
def test_float8_is_told_by_its_name(tmp_path, capsys, kind):
    array = WEIGHTS["linear.weight"]
    held = {"linear.weight": (kind, bytes(array.size))}
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(WEIGHTS, kinds=held))
    line = refused(capsys, "import", tmp_path / "w.safetensors")
    assert f"holds linear.weight as {kind} numbers" in line
    assert "bfloat16" in line
    assert "damaged" not in line


@pytest.mark.parametrize(
    ("kind", "dtype"), [("C64", "<c8"), ("U64", "<u8"), ("U16", "<u2"), ("BOOL", "?"), ("I8", "i1")]
)
def test_numbers_that_are_no_weights_are_refused_by_name(tmp_path, capsys, kind, dtype):
    data = np.ones(WEIGHTS["linear.weight"].shape, dtype).tobytes()
    held = {"linear.weight": (kind, data)}
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(WEIGHTS, kinds=held))
    line = refused(capsys, "import", tmp_path / "w.safetensors")
    assert f"holds linear.weight as {np.dtype(dtype)} numbers, where weights are floating point" in line


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_numbers_that_are_not_finite_are_named(tmp_path, capsys, value):
    bent = WEIGHTS | {"linear.bias": np.array([0, value, 1])}
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(bent, "F64"))
    assert "holds linear.bias with numbers that are not finite" in refused(
        capsys, "import", tmp_path / "w.safetensors"
    )


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "model.",
        "backbone.",
        "_orig_mod.",
        "encoder.",
        "net.",
        "module._orig_mod.",
        "model.backbone.",
        "my.own.",
    ],
)
def test_usual_prefixes_are_taken_off(tmp_path, prefix):
    named = {f"{prefix}{name}": array for name, array in WEIGHTS.items()}
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(named))
    (tmp_path / "plain.safetensors").write_bytes(safetensors_bytes(WEIGHTS))
    for name, array in imported(tmp_path / "plain.safetensors", model="resnet8").items():
        assert np.array_equal(imported(tmp_path / "w.safetensors", model="resnet8")[name], array)


def test_two_networks_in_one_file_are_told(tmp_path, capsys):
    both = {f"{part}.{name}": array for part in ("student", "teacher") for name, array in WEIGHTS.items()}
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(both))
    line = refused(capsys, "import", tmp_path / "w.safetensors")
    assert "holds more than one network (student." in line
    assert " and teacher." in line


def test_a_model_file_with_float8_is_refused_in_one_line(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(
        safetensors_bytes({"w": np.zeros(4, np.float32)}, kinds={"w": ("F8_E4M3", bytes(4))})
    )
    with pytest.raises(ModelFileError, match="holds w as F8_E4M3 numbers"):
        load_model(tmp_path / "m.safetensors")


# ------------------------------------------------------------------ shards
def shards(folder, kind="BF16"):
    names = list(WEIGHTS)
    for number in (0, 1):
        part = {name: WEIGHTS[name] for name in names[number::2]}
        (folder / f"model-0000{number + 1}-of-00002.safetensors").write_bytes(safetensors_bytes(part, kind))
    places = {name: f"model-0000{1 + place % 2}-of-00002.safetensors" for place, name in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder / "model.safetensors.index.json"


def test_shards_are_read_by_their_folder_or_index(tmp_path, capsys):
    index = shards(tmp_path)
    for path in (tmp_path, index):
        assert read_weights(path).keys() == WEIGHTS.keys()
    line = refused(capsys, "import", tmp_path / "model-00001-of-00002.safetensors")
    assert "is one of 2 shards: name the folder" in line
    answered(capsys, "import", tmp_path, "--size", 8, "--output", tmp_path / "m")
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    assert "names 2 shards, of which model-00002-of-00002.safetensors is not beside it" in refused(
        capsys, "import", index
    )


NO_INDICES = [
    *("", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {}}', '{"weight_map": {"a": "../x"}}', "[" * 9999),
    *('{"weight_map": {"a": 3}}', '{"weight_map": {"a": "' + "x" * 5000 + '"}}'),
    '{"weight_map": {"a": "b\\u0000"}}',
]


@pytest.mark.parametrize("text", NO_INDICES, ids=range(len(NO_INDICES)))
def test_indices_that_are_none(tmp_path, text):
    (tmp_path / "a.index.json").write_text(text)
    with pytest.raises(ModelFileError) as caught:
        read_weights(tmp_path / "a.index.json")
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------ files of other programs
@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("w.gguf", b"GGUF\3\0\0\0" + bytes(90), "is a GGUF file"),
        ("w.h5", b"\x89HDF\r\n\x1a\n" + bytes(90), "is an HDF5 file"),
        ("w.onnx", b"\x08\x07\x12\x07pytorch" + bytes(90), "is an ONNX file"),
        ("w.tflite", b"\x1c\0\0\0TFL3" + bytes(90), "is a TensorFlow Lite file"),
        ("saved_model.pb", b"\x08\x01\x12\x04" + bytes(90), "is a file of TensorFlow's"),
        ("w.npy", b"\x93NUMPY\x01\0" + bytes(90), "is a single array of NumPy's"),
        ("w.safetensors", b"version https://git-lfs.github.com/spec/v1\noid", "is a pointer of Git LFS"),
        ("w.pth", b"<!DOCTYPE html><html>", "is a web page"),
        ("w.pth", b"\x1f\x8b\x08" + bytes(90), "is compressed by gzip"),
    ],
)
def test_other_programs_files_are_recognised(tmp_path, capsys, name, content, named):
    (tmp_path / name).write_bytes(content)
    line = refused(capsys, "import", tmp_path / name)
    assert named in line
    assert "damaged" not in line


def test_archives_of_other_programs_are_recognised(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", a=np.zeros(3))
    assert "is an .npz archive" in refused(capsys, "import", tmp_path / "w.npz")
