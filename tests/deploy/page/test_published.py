"""Published networks in a page: CIFAR-10's test pictures in Node, photographs in a browser."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from browsing import Visit
from page_scripts import read_in_node, run_in_node, text_of
from PIL import Image

from residua.api import import_weights, predict
from residua.api import page as make_page
from residua.data.pictures.decoding import read_picture
from residua.data.sources.cards import DATASETS
from residua.deploy.page.packing import pack_network
from residua.deploy.page.preprocessing import describe_preprocessing
from residua.deploy.page.sources import engine_script, pixels_script
from residua.files.unpickle import load_plain
from residua.models.model_file import load_model

pytestmark = pytest.mark.exhaustive
MOST_BYTES = 2_000_000
ANSWER = """
(async () => {
  const { model, bytes, pictures } = input.payload, shape = model.preprocessing, answers = [];
  const network = new Network(kernel, model, bytesOf(bytes));
  for (const picture of pictures) {
    const numbers = normalise(fit(await decode(new Blob([bytesOf(picture)]), shape), shape), shape);
    answers.push(network.answer(numbers, [...shape.seen, shape.channels]).probabilities);
  }
  console.log(JSON.stringify(answers));
})();
"""


def _published(data_dir, name, tmp_path, **options):
    weights = data_dir / "weights" / name
    if not weights.exists():
        pytest.skip(f"the published {name} is not in RESIDUA_DATA")
    file, _ = import_weights(weights, output=str(tmp_path / "model.safetensors"), **options)
    return file


def test_ten_thousand_pictures_of_cifar_are_answered_as_predict_does(data_dir, tmp_path):
    file = _published(data_dir, "cifar10-resnets/resnet20-12fca82f.th", tmp_path, classes="cifar10")
    content = load_plain((data_dir / "cifar-10-batches-py" / "test_batch").read_bytes(), name="test_batch")
    pixels = np.asarray(content.get("data", content.get(b"data"))).reshape(-1, 3, 32, 32)
    labels = np.asarray(content.get("labels", content.get(b"labels")))
    folder, coded = tmp_path / "png", []
    folder.mkdir()
    for number, picture in enumerate(pixels.transpose(0, 2, 3, 1)):
        held = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(picture)).save(held, "PNG")
        (folder / f"{number:05d}.png").write_bytes(held.getvalue())
        coded.append(text_of(held.getvalue()))
    model = load_model(file)
    packed = pack_network(model)
    document = packed.document | {"preprocessing": describe_preprocessing(model.preprocessing)}
    given = {"model": document, "bytes": text_of(packed.content), "pictures": coded}
    found = np.array(run_in_node(f"{engine_script()}\n{pixels_script()}\n{ANSWER}", given, seconds=600))
    expected = np.zeros_like(found)
    for row, answer in zip(expected, predict(model, folder, top=10, engine="numpy"), strict=True):
        for name, probability in answer.top:
            row[DATASETS["cifar10"].classes.index(name)] = probability
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).sum() == 10_000
    assert np.abs(found - expected).max() <= 1e-5
    assert (found.argmax(axis=1) == labels).sum() == 9173


def test_a_page_with_resnet20_is_small(data_dir, tmp_path):
    file = _published(data_dir, "cifar10-resnets/resnet20-12fca82f.th", tmp_path, classes="cifar10")
    assert make_page(file, tmp_path / "page.html").stat().st_size <= MOST_BYTES


def test_photographs_are_the_pixels_of_predict(data_dir):
    contents = [file.read_bytes() for file in sorted((data_dir / "imagenet-samples").glob("*.JPEG"))]
    files = [(content, side, side, 3) for content in contents for side in (32, 100, 224)]
    answers = read_in_node(files)
    # Those with a colour profile are the browser's.
    same = [
        not isinstance(found, str) and np.array_equal(found, read_picture(*given))
        for found, given in zip(answers, files, strict=True)
    ]
    assert len(same) >= 120
    assert sum(same) >= len(same) - 9


def test_photographs_in_a_browser_are_what_predict_says(browser, data_dir, tmp_path):
    file = _published(data_dir, "squeezenet1.1-imagenet", tmp_path)
    photographs = sorted((data_dir / "imagenet-samples").glob("*.JPEG"))
    expected = predict(file, photographs, engine="numpy")
    with Visit(browser, make_page(file, tmp_path / "page.html")) as visit:
        visit.page.set_input_files("#files", photographs)
        visit.page.locator("#stop[disabled]").wait_for(timeout=120_000)
        with visit.page.expect_download() as download:
            visit.page.click("#save")
        download.value.save_as(tmp_path / "table.csv")
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()))
    named = [re.sub(r".*/", "", answer.file) for answer in expected]
    assert [row["file"] for row in rows] == named
    assert [row["class"] for row in rows] == [answer.top[0][0] for answer in expected]
    off = [
        abs(float(row["probability"]) - answer.top[0][1]) for row, answer in zip(rows, expected, strict=True)
    ]
    assert max(off) < 0.02
    # All but those with a colour profile.
    assert sum(difference <= 1e-5 for difference in off) >= len(off) - 3
