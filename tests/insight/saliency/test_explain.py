"""`residua explain`: drawings, words, JSON, and what cannot be explained said in one line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small_models import linear_model, pictures, small_model
from tiny import answered, call, refused

import residua
from residua.config import ExplainConfig
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ConfigError
from residua.insight.saliency.figure import colorize, overlay, picture_figure, scaled, sheet_figure
from residua.insight.saliency.numbers import METHODS, denormalize, explain_pictures
from residua.insight.saliency.randomization import Randomization
from residua.insight.saliency.text import completeness_text, explained_text, randomization_text
from residua.insight.shared.class_names import class_index
from residua.layers.ensemble import Ensemble

pytestmark = pytest.mark.usefixtures("quiet_cache")

QUICK = ("--methods", "gradient", "grad-cam", "--threads", "1")


@pytest.fixture
def model(trained, tmp_path):
    """A copy of the trained model's file, so that drawings lie beside it."""
    return shutil.copy(trained / "run" / "best.safetensors", tmp_path / "colours.safetensors")


def saved(model, path):
    residua.save_model(path, model)
    return path


# ---------------------------------------------------------------- the command
def test_overlays_beside_the_model(capsys, model, trained, tmp_path):
    out = answered(
        capsys, "explain", model, trained / "pics" / "red" / "0.png", "--threads", "1", "--samples", "4"
    )
    assert "0.png   red " in out
    assert "Integrated gradients add up to the difference of the scores but for 0." in out
    drawn = tmp_path / "colours-explain-1.png"
    assert f"Picture: {drawn}" in out
    with Image.open(drawn) as image:
        assert image.width > 1000


def test_many_pictures_share_sheets_and_json_says_all(capsys, model, trained, tmp_path):
    code, out, err = call(
        capsys,
        "explain",
        model,
        trained / "pics",
        "--json",
        *QUICK,
        "--target",
        "blue",
        "--output",
        tmp_path / "o",
    )
    assert code == 0
    found = json.loads(out)
    assert len(found["pictures"]) == 24
    assert [path.rpartition("/")[2] for path in found["drawn"]] == [f"explain-{n}.png" for n in (1, 2)]
    assert {row["target"] for row in found["pictures"]} == {"blue"}
    assert {row["class"] for row in found["pictures"]} == {"blue", "red"}
    assert all(
        row["layer"] == "stage3" and row["methods"] == ["gradient", "grad-cam"] for row in found["pictures"]
    )
    assert "Picture: " in err


def test_a_picture_that_cannot_be_read_is_named_and_the_others_explained(capsys, model, trained, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    good = trained / "pics" / "red" / "1.png"
    code, out, err = call(capsys, "explain", model, bad, good, *QUICK)
    assert code == 1
    assert "1.png   red" in out
    assert f"Cannot read {bad}" in err
    assert "it is a text file, not a picture" in refused(capsys, "explain", model, bad, *QUICK)


def test_numbers_of_the_models_own_data(capsys, trained, tmp_path):
    out = answered(capsys, "explain", trained / "run", "--numbers", "1", "0", *QUICK, "--output", tmp_path)
    assert len(out.splitlines()) == 4
    some = answered(capsys, "explain", trained / "run", *QUICK, "--output", tmp_path)
    assert len([line for line in some.splitlines() if line.startswith("Picture")]) <= 4
    beyond = refused(capsys, "explain", trained / "run", "--numbers", "4000", "--output", tmp_path)
    assert "--numbers was given 4000" in beyond


def test_the_check_says_how_like_maps_stay(capsys, model, trained):
    out = answered(capsys, "explain", model, trained / "pics" / "red" / "0.png", *QUICK, "--check")
    assert "made random:" in out
    assert "upper half" in out
    table = Randomization(("head", "all"), {"gradient": (0.3, 0.1), "guided": (0.9, 0.6)}, 3)
    told = randomization_text(table)
    assert "guided backprop.: hardly another with a random head" in told
    assert "guided backprop.: much the same with random weights" in told
    assert "gradient:" not in told


# ---------------------------------------------------------------- what cannot be explained
def test_calls_that_cannot_be_carried_out(capsys, model, trained, tmp_path):
    picture = trained / "pics" / "red" / "0.png"
    assert "--target: resnet8 has no class 'gren'. Choose from: blue, red." in refused(
        capsys, "explain", model, picture, "--target", "gren"
    )
    assert "no stage or layer 'stage9'. Did you mean" in refused(
        capsys, "explain", model, picture, "--stage", "stage9"
    )
    assert "head gives no maps, as Grad-CAM needs: name one of stem, stage1" in refused(
        capsys, "explain", model, picture, "--stage", "head"
    )
    assert "add grad-cam to --methods" in refused(
        capsys, "explain", model, picture, "--stage", "stage2", "--methods", "gradient"
    )
    assert "Choose from" in refused(capsys, "explain", model, picture, "--methods", "magic")
    assert "either files, or numbers" in refused(capsys, "explain", model, picture, "--numbers", "1")
    assert "--samples takes 1 to 10000" in refused(capsys, "explain", model, picture, "--samples", "0")
    assert "--patch takes a whole number" in refused(capsys, "explain", model, picture, "--patch", "2.5")
    assert "no such file" in refused(capsys, "explain", model, tmp_path / "none.png")
    bare = replace(residua.load_model(model), training={})
    unknown = saved(bare, tmp_path / "bare.safetensors")
    assert "give pictures or folders after the model" in refused(capsys, "explain", unknown)
    assert not list(tmp_path.glob("*.png"))


def test_pictures_of_another_size_and_channels_are_prepared_as_predict_does(capsys, model, tmp_path):
    Image.new("L", (70, 31), 128).save(tmp_path / "grey.png")
    answer = json.loads(answered(capsys, "predict", model, tmp_path / "grey.png", "--json"))[0]
    found = json.loads(answered(capsys, "explain", model, tmp_path / "grey.png", *QUICK, "--json"))[
        "pictures"
    ][0]
    assert (found["class"], found["probability"]) == (answer["class"], answer["probability"])
    with pytest.raises(residua.errors.ShapeError, match="must be"):
        explain_pictures(residua.load_model(model), np.zeros((1, 9, 8, 3), np.uint8))


def test_a_network_without_convolutions(capsys, tmp_path, rng):
    linear = linear_model(rng.normal(size=(8, 8, 3, 2)))
    path = saved(linear, tmp_path / "linear.safetensors")
    Image.new("RGB", (8, 8), (200, 10, 20)).save(tmp_path / "one.png")
    told = refused(capsys, "explain", path, tmp_path / "one.png", "--methods", "grad-cam")
    assert told.startswith("linear has no layer that gives maps, as Grad-CAM needs: use --methods gradient")
    # Where all methods were meant, it does without, and says so.
    code, out, err = call(capsys, "explain", path, tmp_path / "one.png", "--samples", "2", "--json")
    assert code == 0
    assert "Without Grad-CAM" in err
    assert "linear has no ReLU: guided backpropagation is then the gradient" in err
    assert json.loads(out)["pictures"][0]["methods"] == [name for name in METHODS if name != "grad-cam"]


def test_an_ensemble_is_explained_and_its_members_layers_are_known(capsys, tmp_path, rng):
    one, other = small_model(seed=1), small_model(seed=2)
    members = Ensemble({"a": one.network, "b": other.network}, "vote")
    both = replace(one, name="both", network=members, variables={"a": one.variables, "b": other.variables})
    images = pictures(rng, 2)
    config = ExplainConfig(methods=("gradient", "integrated", "grad-cam"), stage="b.stage3", threads=1)
    found = explain_pictures(both, images, config)
    assert found.unit == "probability"
    assert (found.integrated.gap < 1e-3).all()  # the mean has no jumps, as a vote would have
    assert found.maps["gradient"].max() > 0
    with pytest.raises(ConfigError, match="several networks: name a layer of one with --stage"):
        explain_pictures(both, images, replace(config, stage=None))
    path = saved(both, tmp_path / "both.safetensors")
    Image.fromarray(images[0]).save(tmp_path / "one.png")
    quick = ("--samples", "2", "--most-steps", "8")
    assert "Without Grad-CAM" in call(capsys, "explain", path, tmp_path / "one.png", *quick)[2]
    told = refused(capsys, "explain", path, tmp_path / "one.png", "--check")
    assert "check one of the models that it was made of" in told


def test_capsules_are_explained(rng):
    model = small_model("capsnet", size=20, channels=1, width=8)
    config = ExplainConfig(samples=2, most_steps=4, threads=1, batch=2)
    found = explain_pictures(model, pictures(rng, 2, 20, 1), config)
    assert found.unit == "length of the capsule"
    assert set(found.maps) == set(METHODS)
    assert all(np.isfinite(maps).all() and maps.any() for maps in found.maps.values())


@pytest.mark.parametrize("classes", [1, 1000])
def test_one_class_and_a_thousand(rng, classes):
    model = small_model(classes=classes)
    found = explain_pictures(model, pictures(rng, 2), ExplainConfig(samples=2, most_steps=4, threads=1))
    for figure in (picture_figure(found, 0), sheet_figure(found, [0, 1])):
        assert figure.axes
    assert len(found.to_dict()) == 2
    name = "class 0" if classes == 1 else "class 777"
    assert class_index(model, name) == int(name.split()[1])


# ---------------------------------------------------------------- parts
def test_what_the_network_sees_is_what_is_drawn(rng):
    model = small_model()
    images = pictures(rng)
    np.testing.assert_array_equal(denormalize(model, model.preprocessing.normalize(images)), images)
    turned = replace(model, preprocessing=replace(model.preprocessing, order="BGR"))
    np.testing.assert_array_equal(denormalize(turned, turned.preprocessing.normalize(images)), images)


def test_colours_and_overlays(rng):
    values = rng.normal(size=(10, 10))
    signed, plain = scaled(values, "integrated"), scaled(np.abs(values), "gradient")
    assert np.abs(signed).max() == 1
    assert (np.sign(signed) == np.sign(values)).all()
    assert plain.min() >= 0
    assert (scaled(np.zeros((4, 4)), "grad-cam") == 0).all()
    # Darker the stronger, on both sides, so that it can be read without colours.
    for side in (1, -1):
        brightness = colorize(side * np.linspace(0, 1, 30)).astype(float) @ (0.299, 0.587, 0.114)
        assert (np.diff(brightness) < 0).all()
    grey = np.full((10, 10, 1), 100, np.uint8)
    laid = overlay(grey, values, "integrated").astype(int)
    assert laid.shape == (10, 10, 3)
    most, least = np.unravel_index(values.argmax(), (10, 10)), np.unravel_index(values.argmin(), (10, 10))
    assert laid[most][0] > laid[most][2] + 100  # orange
    assert laid[least][2] > laid[least][0] + 100  # blue
    untouched = overlay(grey, np.zeros((10, 10)), "gradient")
    assert (untouched == untouched[0, 0, 0]).all()


def test_what_is_missing_is_told(rng):
    model = small_model()
    found = explain_pictures(
        model,
        pictures(rng),
        ExplainConfig(methods=("integrated",), most_steps=2, threads=1),
        engine=NumpyEngine(1),
    )
    assert found.integrated.steps.tolist() == [2, 2, 2]
    far = replace(found, integrated=replace(found.integrated, gap=np.abs(found.integrated.difference) * 0.02))
    assert "3 of 3 miss 1 %: give more with --most-steps" in completeness_text(far)
    near = replace(
        found, integrated=replace(found.integrated, gap=np.abs(found.integrated.difference) * 0.004)
    )
    assert "0.40 % at most" in completeness_text(near)
    assert "miss" not in explained_text(near)


def test_the_earlier_name_of_randomization_warns(model, trained, tmp_path):
    found = residua.explain(
        model, trained / "pics" / "red" / "0.png", methods=("gradient",), check=True, threads=1, say=str,
        output=str(tmp_path / "o"),
    )  # fmt: skip
    with pytest.warns(DeprecationWarning, match=r"Explanations\.randomization"):
        assert found.randomised is found.randomization


def test_programs_find_explain_pictures_where_the_documents_say():
    from residua.insight.saliency import explain_pictures
    from residua.insight.saliency.numbers import explain_pictures as defined

    assert explain_pictures is defined
