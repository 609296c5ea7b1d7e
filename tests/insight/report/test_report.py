"""The report and the model card: what they say, without a browser (see test_report_page.py)."""

from __future__ import annotations

import html
import json
import re
import shlex
import shutil
from dataclasses import replace

import numpy as np
import pytest
from reported import NUMPY, Outline, changed, thousand, without_maps
from tiny import TINY, answered, call, contents, paint, paint_folder, refused

import residua
from residua.insight.report.card import card_path, model_card
from residua.insight.report.numbers import collect_contents
from residua.insight.report.page import report_html
from residua.insight.report.pictures import format_certainty
from residua.insight.report.saliency_section import strongest_part
from residua.models.model_file import load_model, save_model
from residua.training.progress import Quiet

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture(scope="module")
def findings(trained):
    return collect_contents(trained / "run", NUMPY, lambda line: None)


@pytest.fixture(scope="module")
def page(findings):
    return report_html(findings, NUMPY.show)


# ---------------------------------------------------------------- the verb
def test_a_run_gets_a_page_and_a_card(trained, tmp_path, capsys):
    before = contents(trained)
    out = tmp_path / "out"
    told = json.loads(answered(capsys, "report", trained / "run", "--output", out, "--json", "--threads", 1))
    evaluation = residua.evaluate(trained / "run", say=lambda line: None, output=str(tmp_path / "e"))
    assert told["accuracy"] == evaluation.accuracy
    assert told["interval"] == list(evaluation.interval)
    assert sorted(path.name for path in out.iterdir()) == ["model-card.md", "report.html"]
    assert told["report"] == str(out / "report.html")
    outline = Outline((out / "report.html").read_text(encoding="utf-8"))
    low, high = (f"{100 * edge:.2f} %" for edge in evaluation.interval)
    assert f"between {low} and {high} (95 % interval)" in outline.words
    text = answered(capsys, "report", trained / "run", "--output", out)
    assert "which took no part in training" in text
    assert f"Report: {out / 'report.html'}" in text
    assert contents(trained) == before


@pytest.mark.usefixtures("stub_figures")  # its words are read
def test_a_model_file_has_what_needs_no_run(trained, tmp_path, capsys):
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((trained / "run" / "best.safetensors").read_bytes())
    others = paint_folder(tmp_path / "others", ("red", "blue"), 4)
    answered(capsys, "report", alone, others)
    outline = Outline((tmp_path / "alone-report.html").read_text(encoding="utf-8"))
    assert "Learning curves need the run folder" in outline.words
    assert "the command and the settings of its training are in its run folder" in outline.words
    assert "of other data than it was trained on" in outline.words
    card = (tmp_path / "alone-model-card.md").read_text(encoding="utf-8")
    assert "made from a model file alone" in card


def test_what_cannot_be_reported_is_refused(trained, tmp_path, capsys):
    (tmp_path / "begun").mkdir()
    assert "begun is a folder without best.safetensors" in refused(capsys, "report", tmp_path / "begun")
    line = refused(capsys, "report", trained / "run", "digits", "--data", "mnist")
    assert "two data sets were named" in line
    line = refused(capsys, "report", trained / "run", "digits", "--output", tmp_path / "o")
    assert "digits has pictures of 8x8x1, this model takes 8x8x3" in line
    paint_folder(tmp_path / "yaks", ("yak",), 3)
    assert "classes that the model does not know (yak)" in refused(
        capsys, "report", trained / "run", tmp_path / "yaks"
    )
    (tmp_path / "file").write_text("x")
    assert "--output takes a folder" in refused(
        capsys, "report", trained / "run", "--output", tmp_path / "file"
    )
    assert "--show takes 1 to 400" in refused(capsys, "report", trained / "run", "--show", "0")
    code, _, err = call(capsys, "report", trained / "run", "--split", "best")
    assert (code, len(err.splitlines())) == (2, 1)
    assert not list(tmp_path.rglob("*.html"))


def test_the_command_repeats_the_run_to_the_last_byte(trained, findings, tmp_path, capsys, page):
    written = re.search(r"<pre><code>(.*?)</code></pre>", page).group(1)
    words = shlex.split(html.unescape(written))
    assert words[:2] == ["residua", "train"]
    assert f"`{words[2]}`" not in model_card(findings)
    assert html.unescape(written) in model_card(findings)
    answered(capsys, *words[1:], "--run", tmp_path / "again", "--threads", 1)
    again, before = (residua.load_model(folder) for folder in (tmp_path / "again", trained / "run"))
    mine, theirs = (residua.variables.flatten(model.variables) for model in (again, before))
    assert mine.keys() == theirs.keys()
    assert all((mine[name] == theirs[name]).all() for name in mine)


# ---------------------------------------------------------------- the page
def test_the_page_stands_alone(page):
    outline = Outline(page)
    assert not {"script", "link rel=stylesheet", "iframe", "object", "video"} & set(outline.tags)
    own = [address for address in outline.addresses if not address.startswith(("data:", "#"))]
    assert own == []  # the folder's card names no publisher's page
    assert "url(" not in page
    assert "@import" not in page
    assert all(f'href="#{name}"' in page for name in ("summary", "data", "repeat"))
    linked = {address[1:] for address in outline.addresses if address.startswith("#")}
    assert linked <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))


def test_the_page_can_be_heard(page):
    outline = Outline(page)
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    assert all(two - one <= 1 for one, two in zip(outline.levels, outline.levels[1:], strict=False))
    assert all(alt and len(alt) > 15 for alt in outline.alts)
    assert any(alt.startswith("Line chart of the loss") for alt in outline.alts)
    assert any("Grad-CAM for" in alt for alt in outline.alts)
    for landmark in ("main", "nav", "header", "footer"):
        assert outline.tags.count(landmark) == 1
    assert page.count("<table") == page.count("<caption")
    assert 'lang="en"' in page


def test_no_mistakes_are_told_happily(findings, page):
    assert not len(findings.mistakes)
    words = Outline(page).words
    assert "It made no mistake on these pictures." in words
    assert "None: all 2 pictures are answered rightly." in words
    assert "No label is suspected to be wrong." in words


@pytest.mark.usefixtures("stub_figures")  # its words are read
def test_mistakes_are_shown_with_both_guesses(trained, tmp_path):
    folder = paint_folder(tmp_path / "others", ("red", "blue"), 3)
    paint(folder / "blue" / "wrong.png", (250, 20, 20), 5)
    paint(folder / "red" / "bluish.png", (60, 40, 170), 7)
    found = collect_contents(trained / "run", replace(NUMPY, data=str(folder)), lambda line: None)
    outline = Outline(report_html(found, NUMPY.show))
    assert any(re.match(r"blue/wrong.png: of the class blue, answered red with", alt) for alt in outline.alts)
    assert any(re.match(r"blue/wrong.png: labelled blue, seems red", alt) for alt in outline.alts)
    assert str(tmp_path) not in outline.words  # where it lies is the owner's business
    assert "2 pictures of 8 are answered wrongly (25.00 %)." in outline.words
    card = model_card(found)
    assert "Fewer than 30 pictures stand behind the figures of blue, red" in card
    assert "| blue | 4 | 75.0 % |" in card


@pytest.mark.usefixtures("stub_figures")  # its words are read
def test_one_class(findings, monkeypatch):
    without_maps(monkeypatch)
    lone = changed(findings, ("blue",), np.zeros(5, np.int64), np.ones((5, 1), np.float32))
    words = Outline(report_html(lone, NUMPY.show)).words
    assert "1 class," in words
    assert "It made no mistake" in words
    assert "| blue | 5 | 100.0 % |" in model_card(lone)


def test_a_thousand_classes_stay_readable(findings, monkeypatch, rng):
    without_maps(monkeypatch)
    many = report_html(thousand(findings, rng), 10)
    outline = Outline(many)
    assert "All 1,000 classes" in outline.words
    assert "The ten classes that are found least often" in outline.words
    assert any(alt.startswith("Confusion matrix of 1,000 classes") for alt in outline.alts)
    assert "matrix" not in re.findall(r'<table class="(.*?)"', many)
    assert len(many) < 3_000_000
    # What is there to be opened is closed: the tables of all classes.
    assert len(re.sub(r"<details>.*?</details>", "", many, flags=re.DOTALL).split("<tr>")) < 80


def test_names_cannot_break_the_page(findings, monkeypatch):
    without_maps(monkeypatch)
    names = ("<script>alert(1)</script>", 'a"b|c\n# d')
    given = changed(findings, names, np.array([0, 1, 0]), np.eye(2, dtype=np.float32)[[0, 1, 1]])
    text = report_html(given, NUMPY.show)
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    card = model_card(given)
    assert "<script" not in card
    assert 'a"b\\|c # d' in card


# ---------------------------------------------------------------- the card
def test_the_card_has_the_sections_of_mitchell_2019(findings):
    card = model_card(findings)
    sections = re.findall("^## (.*)$", card, flags=re.MULTILINE)
    wanted = ["What it is", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data"]
    assert sections[:6] == wanted
    assert {"Results", "Ethical considerations", "Caveats", "How to repeat it"} <= set(sections)
    assert findings.checksum in card
    assert "blue, red" in card


def test_a_card_that_somebody_wrote_in_is_kept(findings, tmp_path):
    told = []
    path = tmp_path / "model-card.md"
    assert card_path(path, told.append) == path
    path.write_text(model_card(findings), encoding="utf-8")
    assert card_path(path, told.append) == path
    path.write_text(model_card(findings).replace("[name, date", "Ada, ["), encoding="utf-8")
    assert card_path(path, told.append) == tmp_path / "model-card-new.md"
    assert "is kept; the new card is model-card-new.md" in told[0]


# ---------------------------------------------------------------- small things
def test_where_a_map_is_strongest():
    maps = np.zeros((9, 9))
    assert strongest_part(maps) == "nowhere"
    maps[1, 1] = 5
    assert strongest_part(maps) == "in the upper part, on the left"
    assert strongest_part(maps[::-1]) == "in the lower part, on the left"
    assert strongest_part(np.pad(np.ones((1, 1)), 4)) == "in the middle"


def test_no_certainty_is_made_up():
    assert [format_certainty(p) for p in (1.0, 0.9999, 0.994, 0.5, 0.001, 0.0)] == [
        "100 %", "over 99 %", "99 %", "50 %", "under 1 %", "0 %",
    ]  # fmt: skip


@pytest.mark.usefixtures("stub_figures")  # its words are read
def test_an_ensemble_has_neither_stages_nor_grad_cam(trained, tmp_path, capsys):
    both = tmp_path / "both.safetensors"
    members = (trained / "run" / f"{name}.safetensors" for name in ("best", "last"))
    answered(capsys, "ensemble", both, *members)
    answered(capsys, "report", both, trained / "pics")
    text = (tmp_path / "both-report.html").read_text(encoding="utf-8")
    assert "This network is no row of layers" in text
    assert "Integrated gradients share out" in text


@pytest.mark.usefixtures("stub_figures")  # its words are read
def test_a_transfer_run_names_its_base(trained, tmp_path, capsys):
    paint_folder(tmp_path / "more", ("blue", "red"), 10, seed=9)
    options = {name: value for name, value in TINY.items() if name not in ("model", "width")}
    residua.train(
        tmp_path / "more", run=str(tmp_path / "r"), from_=str(trained / "run"), reporter=Quiet(), **options
    )
    answered(capsys, "report", tmp_path / "r")
    text = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert f"--from {trained / 'run'}" in html.unescape(text)
    assert "It began with the weights of" in (tmp_path / "r" / "model-card.md").read_text(encoding="utf-8")


def test_classes_that_look_alike_are_told_apart(trained, tmp_path):
    """One letter in two Unicode forms: on the page and on the card as in texts and figures."""
    twins = ("\u00e9t\u00e9", "e\u0301te\u0301")
    for colour, name in zip(("blue", "red"), twins, strict=True):
        shutil.copytree(trained / "pics" / colour, tmp_path / "data" / name)
    model = replace(load_model(trained / "run"), classes=twins)
    save_model(tmp_path / "m.safetensors", model)
    found = collect_contents(tmp_path / "m.safetensors", replace(NUMPY, data=str(tmp_path / "data")), print)
    page = report_html(found, NUMPY.show)
    for name in twins:
        assert name.encode("ascii", "backslashreplace").decode().replace("\\xe9", "\\u00e9") in page
        assert not any(f">{name}<" in text for text in (page, model_card(found)))
