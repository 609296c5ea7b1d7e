"""X in every form gives the pictures that are meant, at the size of the model, one answer each in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import residua
from residua.classifier.inputs import sort_input
from residua.classifier.reading import read_to_fit
from residua.errors import ConfigError, PictureError, ShapeError


def test_one_picture_in_many_forms_has_one_answer(on_arrays, data):
    X, _ = data
    expected = on_arrays.predict_proba(X)
    forms = {
        "float": X / 255,
        "float32": (X / 255).astype(np.float32),
        "int": X.astype(int),
        "channel": X[..., None],
        "list": list(X),
        "nested": X.tolist(),
        "rows": X.reshape(len(X), -1),
        "Fortran": np.asfortranarray(X),
        "pillow": [Image.fromarray(picture) for picture in X],
        "coloured": [np.repeat(picture[..., None], 3, -1) for picture in X],
        "generator": (picture for picture in X),
        "uint16": X.astype(np.uint16) * 257,
    }
    for name, form in forms.items():
        assert (on_arrays.predict_proba(form) == expected).all(), name
    before = X.copy()
    X.flags.writeable = False
    on_arrays.predict(X)
    X.flags.writeable = True
    assert (before == X).all()


def test_every_file_has_its_answer_in_order(on_files, files, monkeypatch):
    names, _ = files
    once = dict(zip(names, on_files.predict_proba(names), strict=True))
    asked = [names[3], names[0], names[3], *names, names[0]]
    for form in (asked, list(map(str, asked)), np.array(list(map(str, asked))), iter(asked), tuple(asked)):
        answers = on_files.predict_proba(form)
        assert len(answers) == len(asked)
        assert all((answer == once[name]).all() for name, answer in zip(asked, answers, strict=True))
    monkeypatch.chdir(names[0].parent)
    near = [
        names[0].name,
        Path(names[0].name),
        f"./{names[0].name}",
        f"../{names[0].parent.name}/{names[0].name}",
    ]
    assert (on_files.predict_proba(near) == once[names[0]]).all()


def test_lists_of_several_sizes_are_brought_to_size(on_files, files, tiny):
    rng = np.random.default_rng(0)
    sizes = [(20, 24, 3), (30, 18, 3), (24, 24, 3), (16, 40, 3)]
    pictures = [rng.integers(0, 255, size).astype(np.uint8) for size in sizes]
    assert read_to_fit(sort_input(pictures), 12, None).images.shape == (4, 12, 12, 3)
    assert read_to_fit(sort_input([p[..., 0] for p in pictures]), 12, None).images.shape == (4, 12, 12, 1)
    assert read_to_fit(sort_input([pictures[0], pictures[0][..., 0]]), 12, None).images.shape == (
        2,
        20,
        24,
        3,
    )
    assert read_to_fit(sort_input([pictures[2]] * 3), 12, None).images.shape == (3, 24, 24, 3)
    fitted = residua.Classifier(**tiny | {"size": 12, "epochs": 1}).fit(pictures * 2, [0, 1, 0, 1] * 2)
    assert fitted.predict(pictures).shape == (4,)
    assert fitted.predict(pictures[:1]).shape == (1,), "one alone has a size of its own, too"
    names, _ = files
    opened = [Image.open(name) for name in names]
    same = on_files.predict_proba(opened) - on_files.predict_proba(names)
    assert abs(same).max() < 1e-6


def test_arrays_of_another_size_are_refused(on_arrays, on_files):
    for wrong, said in (
        (np.zeros((2, 9, 9)), "takes pictures of 8x8x1; those in X are 9x9x1"),
        (np.zeros((2, 8, 8, 3)), "takes pictures of 8x8x1; those in X are 8x8x3"),
        (np.zeros((2, 65)), "X has 65 features, but Classifier is expecting 64 features"),
    ):
        with pytest.raises(ValueError, match=said):
            on_arrays.predict(wrong)
    with pytest.raises(ShapeError, match="one picture alone"):
        on_files.predict(np.zeros((12, 12, 3), np.uint8))
    assert on_files.predict(np.zeros((12, 12, 3), np.uint8)[None]).shape == (1,)


def test_one_picture_alone_is_told_while_fitting():
    with pytest.raises(ShapeError, match="one picture alone"):
        residua.Classifier().fit(np.zeros((8, 8, 3)), [1])
    with pytest.raises(ShapeError, match=r"list of files"):
        residua.Classifier().fit("cat.png", [1])


def test_files_that_cannot_be_read_are_counted(on_files, files, tmp_path):
    names, _ = files
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"bad\.png.*\(2 of 4 files cannot be read\)"):
        on_files.predict([names[0], tmp_path / "bad.png", tmp_path / "absent.png", names[1]])


def test_sizes_are_whole_numbers():
    pictures = sort_input([np.zeros((8, 9)), np.zeros((9, 8))])
    assert read_to_fit(pictures, np.int64(16), None).images.shape == (2, 16, 16, 1)
    for wrong in (4, 12.5, "64", None, True):
        with pytest.raises(ConfigError, match="size takes"):
            read_to_fit(pictures, wrong, None)
    with pytest.raises(ShapeError, match=r"image_shape is \(8, 9, 1\)"):
        read_to_fit(sort_input(np.zeros((2, 8, 8))), 64, (8, 9, 1))


def test_no_pictures_have_no_answers(on_arrays, on_files):
    assert on_arrays.predict([]).shape == (0,)
    assert on_files.predict_proba([]).shape == (0, 2)
    assert on_arrays.predict_proba(np.zeros((0, 8, 8), np.uint8)).shape == (0, 3)
    assert on_arrays.predict_proba(np.zeros((0, 64))).shape == (0, 3)


def test_rows_have_the_scale_of_those_that_were_fitted(tiny, data):
    X, y = data
    rows = X.reshape(len(X), -1)
    other = residua.Classifier(**tiny).fit(rows, y)
    assert (other.predict_proba(rows.astype(float)) == other.predict_proba(rows)).all()
    assert (other.predict_proba(X) == other.predict_proba(rows)).all()
    with pytest.raises(ShapeError, match="far outside"):
        other.predict(rows * 1e4)
    wide = residua.Classifier(**tiny, image_shape=(4, 16)).fit(rows, y)
    assert wide.model_.preprocessing.stored == (4, 16)
