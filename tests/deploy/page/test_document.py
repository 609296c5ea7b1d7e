"""The page as a text: its policy, its facts, its words."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest

from residua.config import PageConfig
from residua.deploy.onnx.metadata import read_test
from residua.deploy.page import document
from residua.deploy.page.document import page_html
from residua.deploy.page.facts import find_pairs, least_sure
from residua.deploy.page.sources import page_script, read_source, served_script
from residua.errors import ConfigError
from residua.models.calibration import Calibration, Coverage
from residua.models.model_file import best_model, load_model

NAMES = ("</script><b>", "two\udcff")


@pytest.fixture(scope="module")
def model(trained):
    return load_model(best_model(trained / "run"))


def _document(page):
    return json.loads(re.search(r'id="model">(.*?)</script>', page)[1])


def test_names_cannot_break_out_of_the_page(model):
    page = page_html(replace(model, classes=NAMES, name="<i>"), PageConfig())
    assert _document(page)["classes"][0] == NAMES[0]
    assert NAMES[0] not in page
    assert "<title>&lt;i&gt;</title>" in page
    page.encode()


def test_the_policy_names_the_script_and_the_style_and_no_address(model):
    page = page_html(model, PageConfig())
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)[1].replace("&#39;", "'")
    for tag in ("script", "style"):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert len(content) == 1
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe-inline" not in policy
    assert not re.search(r"""\b(src|href|action)=["'](?!data:)""", page)


def test_what_it_says_of_the_model_is_what_the_run_measured(model, trained):
    facts = _document(page_html(model, PageConfig()))
    measured = json.loads((trained / "run" / "test.json").read_text())
    assert facts["tested"]["correct"] == measured["correct"]
    assert facts["notSure"] is None
    assert facts["made"]["source"] == "best.safetensors"


def test_confused_pairs_are_those_of_the_test(tmp_path, trained):
    found = json.loads((trained / "run" / "test.json").read_text())
    (tmp_path / "test.json").write_text(json.dumps(found | {"confusion": [[3, 4], [1, 9]]}))
    file = tmp_path / "best.safetensors"
    assert find_pairs(read_test(file)[1], ("a", "b")) == [
        {"true": "a", "answer": "b", "count": 4, "all": 7},
        {"true": "b", "answer": "a", "count": 1, "all": 10},
    ]
    assert find_pairs(read_test(file)[1], ("a", "b", "c")) == []
    (tmp_path / "test.json").write_text("{}")
    assert find_pairs(read_test(file)[1], ("a", "b")) == []


def test_when_it_is_not_sure(model):
    known = replace(
        model, calibration=Calibration(1.0, "pics", 40, (Coverage(0.3, 40, 30), Coverage(0.8, 30, 29)))
    )
    assert least_sure(known, PageConfig()) == {"threshold": 0.8, "accepted": 30, "right": 29}
    assert least_sure(known, PageConfig(reject_accuracy=0.7))["threshold"] == 0.3
    assert least_sure(known, PageConfig(reject=0.5)) == {"threshold": 0.5}
    assert least_sure(model, PageConfig()) is None
    never = replace(model, calibration=Calibration(1.0, "pics", 40, (Coverage(0.3, 40, 30),)))
    assert least_sure(never, PageConfig()) is None
    for asked, said in (
        (PageConfig(reject=0.5, reject_accuracy=0.9), "choose one"),
        (PageConfig(reject_accuracy=0.99), "no threshold gave 99 %"),
    ):
        with pytest.raises(ConfigError, match=said):
            least_sure(known, asked)
    with pytest.raises(ConfigError, match="run `residua calibrate`"):
        least_sure(model, PageConfig(reject_accuracy=0.9))


def test_a_model_that_is_too_large_is_refused_with_its_size(model, monkeypatch):
    monkeypatch.setattr(document, "MOST_BYTES", 200_000)
    with pytest.raises(ConfigError, match=r"would have \d+ MB.*write it with --half.*`residua serve`"):
        page_html(model, PageConfig())
    monkeypatch.setattr(document, "MOST_BYTES", 100_000)
    with pytest.raises(ConfigError) as refused:
        page_html(model, PageConfig())
    assert "--half" not in str(refused.value)


def test_every_text_is_there_in_every_language_with_the_same_places():
    texts = json.loads(read_source("interface/texts.json"))
    for name, words in texts.items():
        assert words.keys() == texts["native"].keys(), name
        places = {language: sorted(re.findall(r"\{(\w+)\}", line)) for language, line in words.items()}
        assert len({tuple(found) for found in places.values()}) == 1, name
    both = page_script() + served_script()
    used = set(re.findall(r'\btext\(\s*"(\w+)"', both))
    used |= set(re.findall(r'data-text="(\w+)"', read_source("interface/page.html")))
    used |= set(re.findall(r'"(limit\w+)"', both))
    used |= set(re.findall(r'PictureError\((?:kind === "unknown" \? )?"(\w+)"', both))
    used |= {"privateServed", "privateServedMore"}
    assert used <= texts.keys()
