"""`residua fool`: what its files hold is what the model is fooled by; and all that can be asked wrongly."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny import answered, call, contents, paint, refused

import residua
from residua.config import FoolConfig
from residua.data.pictures.decoding import read_picture
from residua.data.preprocessing import Preprocessing
from residua.engines import installed
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ConfigError
from residua.insight.adversarial.class_visualization import choose_classes
from residua.insight.adversarial.figure import amplification, fooling_figure, noise_figure
from residua.insight.adversarial.numbers import fool_picture
from residua.insight.adversarial.text import fool_text
from residua.insight.shared.class_names import class_index
from residua.insight.shared.picture_files import file_name
from residua.insight.shared.scorer import Scorer
from residua.layers import Flatten, Linear, Sequential
from residua.models.calibration import Calibration
from residua.models.model_file import Model

pytestmark = pytest.mark.usefixtures("quiet_cache")
SURE = ("--confidence", "0.9")
FAR = ("--most", "250", "--iterations", "15", "--threads", "1")


@pytest.fixture
def picture(trained):
    """A blue picture of the training set, 11x14 pixels."""
    return trained / "pics" / "blue" / "0.png"


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def plain_model(classes, rng, size=8, resize=None):
    """A linear network with so many classes."""
    network = Sequential({"flat": Flatten(), "head": Linear(size * size * 3, len(classes))})
    made = Preprocessing(size, size, 3, (0.5,) * 3, (0.25,) * 3, resize=resize)
    return Model("plain", network, network.init(rng), tuple(classes), made)


def words(figure):
    titles = [] if figure._suptitle is None else [figure._suptitle.get_text()]
    for axes in figure.axes:
        titles += [axes.get_title(), *(text.get_text() for text in axes.texts)]
    return "\n".join(titles)


# ---------------------------------------------------------------- from a picture
@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("norm", ["inf", "l2"])
def test_the_file_is_seen_as_the_target(engine, norm, trained, picture, tmp_path, capsys):
    if not installed(engine):
        pytest.skip("numba is not installed")
    asked = ("fool", trained / "run", picture, "--target", "red", "--norm", norm, "--engine", engine)
    most = ("--most", "250" if norm == "inf" else "4000")
    out = answered(capsys, *asked, *FAR[2:], *most, "--output", tmp_path, "--json")
    found = json.loads(out)
    assert found["fooled"]
    assert found["searched"]
    assert (found["before"]["class"], found["after"]["class"]) == ("blue", "red")
    fooled, shown = tmp_path / "0-as-red.png", tmp_path / "0-as-red-shown.png"
    assert {path.name for path in tmp_path.iterdir()} == {fooled.name, shown.name}
    (prediction,) = residua.predict(trained / "run", fooled)
    assert prediction.top[0][0] == "red"
    assert prediction.top[0][1] == pytest.approx(found["after"]["probability"], abs=1e-5)
    change = pixels(fooled) - read_at(picture)
    assert np.abs(change).max() == found["largest_change"]
    assert np.sqrt((change**2).sum()) == pytest.approx(found["root_of_squares"], rel=1e-5)
    size = found["largest_change"] if norm == "inf" else found["root_of_squares"]
    assert 0 < size <= found["size"] * (1 + 1e-6)
    assert found["not_enough"] < found["size"]
    with Image.open(shown) as drawn:
        assert drawn.size[0] > 600


def read_at(path, side=8):
    return read_picture(path, side, side, 3).astype(int)


def test_it_says_in_words_what_it_did(trained, picture, tmp_path, capsys):
    code, out, err = call(capsys, "fool", trained / "run", picture, *FAR, "--output", tmp_path)
    assert code == 0
    assert out.startswith("0.png: blue ")
    assert "->  red" in out
    assert "/255 at any pixel is enough by pgd, 15 steps; " in out
    assert "is not" in out
    assert f"Fooled picture: {tmp_path / '0-as-red.png'}" in out
    assert "The fooled picture has 8x8 pixels, as the model sees it; 0.png has 11x14" in err
    # A confidence is kept to; a fixed size is allowed and not searched for.
    out = answered(
        capsys, "fool", trained / "run", picture, *FAR, "--output", tmp_path, "--confidence", "0.7", "--json"
    )
    assert json.loads(out)["after"]["probability"] >= 0.7
    fixed = ("--method", "fgsm", "--epsilon", "200", "--json")
    code, out, _ = call(capsys, "fool", trained / "run", picture, *fixed, "--output", tmp_path)
    found = json.loads(out)
    assert not found["searched"]
    assert found["steps"] == 1
    assert found["size"] == 200
    assert code == (0 if found["fooled"] else 1)


def test_random_changes_of_the_same_size_do_not_fool(trained, picture, tmp_path, rng):
    """The control: the gradient does it, not the size."""
    found, _ = residua.fool(
        trained / "run", picture, most=250.0, iterations=15, output=str(tmp_path), say=str, norm="l2"
    )
    model = residua.load_model(trained / "run")
    signs = rng.choice([-1, 1], (64, *found.before.shape))
    noisy = np.clip(np.rint(found.before + signs * found.root / found.before.size**0.5), 0, 255)
    said = Scorer.of_logits(model, NumpyEngine(1)).pixel_probabilities(noisy).argmax(axis=1)
    assert found.fooled
    assert (said == found.answers[0]).all()


def test_nothing_within_the_bound_is_told_and_nothing_written(trained, picture, tmp_path, capsys):
    asked = ("fool", trained / "run", picture, "--most", "2", "--iterations", "3", "--output", tmp_path)
    code, out, err = call(capsys, *asked)
    assert code == 1
    assert "not fooled: nothing up to 2/255 at any pixel makes it anything else by pgd, 3 steps" in out
    assert "allow more with --most" in out
    assert len(out.splitlines()) == 1
    assert err == "Engine: numpy\n"
    assert not list(tmp_path.iterdir())
    code, out, _ = call(capsys, *asked, "--json")
    assert code == 1
    assert json.loads(out)["fooled"] is False
    code, out, _ = call(capsys, *asked[:3], "--epsilon", "1", "--target", "red", "--output", tmp_path)
    assert code == 1
    assert "nothing up to 1/255 at any pixel makes it red" in out
    assert "--epsilon" in out


def test_pictures_read_with_a_margin_hold_after_they_are_cut(rng, tmp_path):
    model = plain_model("abc", rng, size=8, resize=12)
    residua.save_model(tmp_path / "m.safetensors", model)
    paint(tmp_path / "large.png", (90, 120, 30), 1)
    found, files = residua.fool(
        tmp_path / "m.safetensors", tmp_path / "large.png", most=100.0, output=str(tmp_path), say=str
    )
    assert found.fooled
    assert found.after.shape == (12, 12, 3)
    edge = np.ones((12, 12), bool)
    edge[2:10, 2:10] = False
    assert not found.change[edge].any()
    (prediction,) = residua.predict(tmp_path / "m.safetensors", files[0])
    assert prediction.top[0][0] == model.classes[found.answers[1]]


def test_the_picture_of_it(trained, picture):
    model = residua.load_model(trained / "run")
    found = fool_picture(
        model, read_at(picture).astype(np.uint8), FoolConfig(most=250.0, iterations=15), "0.png"
    )
    told = words(fooling_figure(found))
    factor = amplification(found.largest)
    assert f"change × {factor} (grey: none)" in told
    assert factor * found.largest <= 127 or factor == 1
    assert f"the least found: {found.size:g}/255 at any pixel" in told
    before = 100 * found.probabilities[0, found.answers[0]]
    assert f"original\nblue: {before:.1f} %" in told
    assert [amplification(size) for size in (1, 2, 3, 12, 127, 200)] == [100, 50, 20, 10, 1, 1]


# ---------------------------------------------------------------- from noise, classes, the curve
def test_noise_becomes_every_class_with_the_stated_confidence(trained, tmp_path, capsys):
    out = answered(
        capsys,
        *("fool", trained / "run", "--noise", *SURE, "--output", tmp_path, "--json"),
    )
    found = json.loads(out)
    assert [entry["class"] for entry in found["classes"]] == ["blue", "red"]
    assert all(entry["after"] >= 0.9 for entry in found["classes"])
    answered(capsys, "fool", trained / "run", "--noise", "--target", "red", *SURE, "--output", tmp_path)
    (prediction,) = residua.predict(trained / "run", tmp_path / "noise-as-red.png")
    assert prediction.top[0][0] == "red"
    assert prediction.top[0][1] >= 0.9
    code, out, _ = call(capsys, "fool", trained / "run", "--noise", "--iterations", "1", "--output", tmp_path)
    if "not reached" in out:
        assert code == 1
    found, _ = residua.fool_from_noise(trained / "run", confidence=0.9, output=str(tmp_path))
    assert "2 of 2 with 90 % or more" in words(noise_figure(found))


def test_class_pictures_raise_the_class(trained, tmp_path, capsys):
    out = answered(
        capsys,
        *("fool", trained / "run", "--classes", "--iterations", "40", "--output", tmp_path, "--json"),
    )
    found = json.loads(out)
    assert [entry["class"] for entry in found["classes"]] == ["blue", "red"]
    assert all(entry["probability"] > 0.75 for entry in found["classes"])
    assert [path.name for path in tmp_path.glob("*.png")] == ["class-pictures.png"]
    both, _ = residua.class_pictures(trained / "run", iterations=40, output=str(tmp_path))
    blue, red = both.images.astype(int).mean(axis=(1, 2))
    assert blue[2] > red[2]  # the channel blue of the picture of blue
    assert red[0] > blue[0]


def test_the_curve_is_drawn(trained, tmp_path, capsys):
    asked = ("fool", trained / "run", trained / "pics", "--curve", "--split", "train", "--sample", "10")
    sizes = ("--sizes", "4", "150", "--iterations", "5")
    code, out, err = call(capsys, *asked, *sizes, "--output", tmp_path)
    assert code == 0, err
    assert "10 pictures" in out
    assert "150/255" in out
    assert [path.name for path in tmp_path.glob("*.png")] == ["robustness.png"]
    found = json.loads(answered(capsys, *asked, *sizes, "--output", tmp_path, "--json"))
    assert found["pictures"] == 10
    assert found["curve"][0]["pgd"]["right"] >= found["curve"][1]["pgd"]["right"]


# ---------------------------------------------------------------- bad input
def test_what_is_asked_wrongly_is_told_in_one_line(trained, picture, tmp_path, capsys):
    run = shutil.copytree(trained / "run", tmp_path / "run")
    before = contents(run)
    say = refused(capsys, "fool", run, picture, "--target", "rde")
    assert "has no class 'rde'. Did you mean 'red'?" in say
    say = refused(capsys, "fool", run, picture, "--target", "BLUE")
    assert "sees blue in 0.png already (" in say
    assert "--noise, --classes or --curve" in refused(capsys, "fool", run)
    assert "choose one of --noise and --curve" in refused(capsys, "fool", run, "--noise", "--curve")
    assert "--noise starts from no picture" in refused(capsys, "fool", run, picture, "--noise")
    assert "leave --target out" in refused(capsys, "fool", run, "--curve", "--target", "red")
    assert "there is no such file" in refused(capsys, "fool", run, tmp_path / "absent.png")
    assert "it is a folder" in refused(capsys, "fool", run, trained / "pics")
    broken = tmp_path / "broken.png"
    broken.write_bytes(picture.read_bytes()[:60])
    assert f"Cannot read {broken}" in refused(capsys, "fool", run, broken)
    assert "--epsilon takes above 0" in refused(capsys, "fool", run, picture, "--epsilon", "0")
    assert "--sizes takes sizes above 0" in refused(capsys, "fool", run, "--curve", "--sizes", "0")
    assert "--confidence takes a probability" in refused(capsys, "fool", run, picture, "--confidence", "1")
    assert "takes a whole number" in refused(capsys, "fool", run, picture, "--iterations", "2.5")
    assert refused(capsys, "fool", run, picture, "--norm", "l7")
    assert "digits has pictures of 8x8x1" in refused(capsys, "fool", run, "digits", "--curve")
    assert contents(run) == before


def test_grey_pictures_and_other_sizes(trained, tmp_path, capsys):
    grey = paint(tmp_path / "grey.png", (90, 90, 90), 3, mode="L")
    code, out, _ = call(capsys, "fool", trained / "run", grey, *FAR, "--output", tmp_path / "out")
    assert code == 0, out
    (fooled,) = (path for path in (tmp_path / "out").iterdir() if "shown" not in path.name)
    with Image.open(fooled) as image:
        assert image.mode == "RGB"


def test_one_class_and_a_thousand(rng, tmp_path, capsys):
    lone = plain_model(["only"], rng)
    residua.save_model(tmp_path / "lone.safetensors", lone)
    file = paint(tmp_path / "a.png", (90, 20, 200), 2)
    line = refused(capsys, "fool", tmp_path / "lone.safetensors", file)
    assert "knows one class alone" in line
    assert "knows one class alone" in refused(capsys, "fool", tmp_path / "lone.safetensors", "--noise")
    answered(capsys, "fool", tmp_path / "lone.safetensors", "--classes", "--iterations", "2")

    names = [f"thing number {number}, object" for number in range(999)] + ["great white shark, man-eater"]
    many = plain_model(names, rng)
    residua.save_model(tmp_path / "many.safetensors", many)
    line = refused(capsys, "fool", tmp_path / "many.safetensors", file, "--target", "white shark")
    assert line.endswith("Did you mean 'great white shark, man-eater'?")
    line = refused(capsys, "fool", tmp_path / "many.safetensors", file, "--target", "zzz")
    assert "It has 1,000, such as 'thing number 0, object'" in line
    assert len(line) < 300
    target = ("--target", "Great White Shark, man-eater", "--most", "200")
    found = json.loads(
        answered(
            capsys,
            *("fool", tmp_path / "many.safetensors", file, *target, "--json", "--output", tmp_path / "o"),
        )
    )
    assert found["after"]["class"] == names[-1]
    assert len(found["probabilities"]) == 1000
    shown = choose_classes(many, FoolConfig())
    assert (len(shown), shown[0], shown[-1]) == (40, 0, 999)


def test_names_of_classes_make_names_of_files(rng):
    assert file_name(["cat.1", "as", "Egyptian cat, puss/cat"]) == "cat.1-as-Egyptian-cat--puss-cat"
    assert file_name(["..", "as", "../../x"]) == "as-x"
    twins = plain_model(["Cat", "cat", "dog"], rng)
    assert class_index(twins, "cat") == 1
    assert class_index(twins, "DOG") == 2
    with pytest.raises(ConfigError, match="'CAT' may mean several classes: write 'Cat' or 'cat'"):
        class_index(twins, "CAT")


def test_a_calibrated_model_is_fooled_at_its_temperature(trained, picture, tmp_path):
    model = residua.load_model(trained / "run")
    warm = replace(model, calibration=Calibration(temperature=5.0))
    read = read_at(picture).astype(np.uint8)
    config = FoolConfig(most=250.0, iterations=15)
    cold_one, warm_one = fool_picture(model, read, config), fool_picture(warm, read, config)
    assert warm_one.probabilities[0].max() < cold_one.probabilities[0].max()
    assert warm_one.fooled
    assert "->" in fool_text(warm_one)
