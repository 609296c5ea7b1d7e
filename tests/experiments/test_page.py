"""The page of results has no number that is not in the JSON beside it."""

from __future__ import annotations

import json
import re

import pytest
from documents import ROOT

from residua.errors import RunError
from residua.experiments.catalogue import experiment_names, find_experiment
from residua.experiments.page import (
    kept_results,
    results_page,
    shown_pictures,
    summary_table,
    with_summary,
)
from residua.experiments.results import gather
from residua.experiments.training_runs import RunResult

KEPT = ROOT / "docs" / "results"


def example(name="resnet20", **changes):
    """Results as they would be kept."""
    runs = [
        RunResult(
            seed, "finished", f"residua train --seed {seed}", error, (8.0, 9.0), 800, 10_000, seconds=60.0
        )
        for seed, error in ((0, 8.2), (1, 8.4))
    ]
    return gather(find_experiment(name), {"ours": runs}, {}, quick=False) | changes


def keep(folder, results, name="resnet20"):
    (folder / f"{name}.json").write_text(json.dumps(results))


def test_the_page_and_the_readme_are_those_of_the_kept_results():
    """Made anew by `python tools/results_page.py`."""
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert page == results_page(KEPT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == with_summary(readme, KEPT)


def test_every_experiment_has_its_line_and_says_where_it_was_not_run(tmp_path):
    page, summary = results_page(tmp_path), summary_table(tmp_path)
    for name in experiment_names():
        assert f"residua experiment {name}\n" in page
        assert re.search(rf"^\| .*`{name}`.* \| not run yet \|", summary, re.MULTILINE)
        for variant in find_experiment(name).variants:
            assert re.search(rf"^\| {re.escape(variant.title)} \|.*\| not run \|", page, re.MULTILINE)


def test_the_page_says_what_the_time_leaves_out(tmp_path):
    page = results_page(tmp_path)
    assert "95 % interval | time of training steps |" in page
    assert "features\nof a frozen base, which is done once before the steps, are not in it" in page


def test_the_time_of_all_cores_stands_beside_the_time_that_passed(tmp_path):
    results = example()
    keep(tmp_path, results)
    assert "| 1 min 0 s |\n" in results_page(tmp_path)
    for run, seconds in zip(results["variants"][0]["runs"], (100.0, 110.0), strict=True):
        run["processor_seconds"] = seconds
    keep(tmp_path, results)
    assert "| 1 min 0 s, processor 1 min 45 s |\n" in results_page(tmp_path)


def test_the_lines_of_several_machines_are_told_apart(tmp_path):
    results = example()
    first, second = results["variants"][0]["runs"]
    for run, processor in ((first, "Old"), (second, "Old")):
        run |= {"machine": {"processor": processor, "cores": 2}, "versions": {"residua": "1"}}
    keep(tmp_path, results)
    assert "\nMachine: Old, 2 cores. Versions: residua 1," in results_page(tmp_path)
    second["machine"] = {"processor": "New (family 26, AVX-512)", "cores": 4}
    keep(tmp_path, results)
    page = results_page(tmp_path)
    assert "\n- New (family 26, AVX-512), 4 cores: ResNet-20, 24,640 steps, seed 1\n" in page
    assert "\n- Old, 2 cores: ResNet-20, 24,640 steps, seed 0\n" in page


def test_seeds_are_told_only_where_a_line_is_of_several_machines(tmp_path):
    runs = [RunResult(seed, "finished", "residua", 0.3, (0.2, 0.4), 30, 10_000) for seed in (0, 1, 2)]
    both = dict.fromkeys(("vgg", "resnet18"), runs)
    results = json.loads(json.dumps(gather(find_experiment("mnist-models"), both, {}, quick=False)))
    for row, processors in zip(results["variants"], ("AAA", "ABB"), strict=False):
        for run, processor in zip(row["runs"], processors, strict=True):
            run |= {"machine": {"processor": processor, "cores": 2}, "versions": {"residua": "1"}}
    keep(tmp_path, results, "mnist-models")
    page = results_page(tmp_path)
    blocks = "ResNet-18, blocks 2, 2, 2, 2"
    assert f"\n- A, 2 cores: VGG, 8 layers; {blocks}, seed 0\n- B, 2 cores: {blocks}, seed 1, 2\n" in page


def test_a_joined_line_is_repeated_with_its_members(tmp_path):
    run = [RunResult(0, "finished", "residua", 0.3, (0.2, 0.4), 30, 10_000)]
    runs = dict.fromkeys(("vgg", "resnet18", "vgg-resnet18"), run)
    keep(tmp_path, gather(find_experiment("mnist-models"), runs, {}, quick=False), "mnist-models")
    line = "residua experiment mnist-models --variants vgg resnet18 vgg-resnet18 --seeds 0"
    assert f"\n{line}\n" in results_page(tmp_path)


def test_of_many_lines_without_a_published_figure_the_readme_tells_the_best(tmp_path):
    rates = ("0.01", "0.001", "0.0001")
    others = [f"squeezenet-{kind}-{rate}" for kind in ("frozen", "scratch") for rate in rates][:5]
    runs = {
        name: [RunResult(0, "finished", "residua", error, (0.0, 9.0), 5, 140)]
        for name, error in zip(
            ["vgg16-scratch-0.01", *others], (37.0, 4.0, 3.0, 5.0, 50.0, 40.0), strict=True
        )
    }
    missing = {
        "vgg16-frozen-0.01": "not chosen",
        "vgg16-frozen-0.001": "the published weights are not at hand",
    }
    keep(tmp_path, gather(find_experiment("two-classes"), runs, missing, quick=False), "two-classes")
    assert (
        "| VGG16 from scratch, rate 0.01 50 %, **37.00 %**; SqueezeNet with published weights, base frozen, "
        "rate 0.001 **3.00 %** (the best of 5 others); 12 not run |"
    ) in summary_table(tmp_path)
    page = results_page(tmp_path)
    assert "not chosen" not in page, "which says something of a command, not of the experiment"
    assert page.count("not run: the published weights are not at hand") == 1


def test_what_is_kept_is_told(tmp_path):
    keep(tmp_path, example())
    page = results_page(tmp_path)
    assert "**8.30 %**, -0.45 points | 0, 1 (not run: 2) | 0.14 |" in page
    assert "\nresidua experiment resnet20 --variants ours --seeds 0 1\n" in page
    assert "| `resnet20` | ResNet-20, 24,640 steps 8.75 %, **8.30 %** |" in summary_table(tmp_path)
    changed = example()
    changed["variants"][0]["mean"] = 5.0
    keep(tmp_path, changed)
    assert results_page(tmp_path) != page


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: keep(folder, example(quick=True)), "a quick run"),
        (
            lambda folder: keep(folder, example(), "resnet20-paper"),
            "results of resnet20, not of resnet20-paper",
        ),
        (lambda folder: keep(folder, example(), "resnet21"), "of no experiment"),
        (lambda folder: keep(folder, example(format=9)), "of format 9"),
        (lambda folder: keep(folder, example(variants=[])), "other variants"),
        (lambda folder: keep(folder, []), "holds no results"),
        (lambda folder: (folder / "resnet20.json").write_text("{"), "cannot read"),
    ],
)
def test_what_cannot_be_results_is_refused(tmp_path, spoil, told):
    spoil(tmp_path)
    with pytest.raises(RunError, match=told):
        kept_results(tmp_path)


def test_pictures_that_an_experiment_shows_stand_on_the_page_where_they_are_kept(tmp_path):
    drawn = ["mistakes-half-width/mistakes.png", "mistakes-half-width/labels.png", "results.png"]
    results = gather(find_experiment("mnist-resnet32"), {}, {}, quick=False) | {"pictures": drawn}
    keep(tmp_path, results, "mnist-resnet32")
    [(picture, kept, words)] = shown_pictures("mnist-resnet32", results)
    assert picture == drawn[0]
    assert "![" not in results_page(tmp_path)
    (tmp_path / kept).parent.mkdir()
    (tmp_path / kept).write_bytes(b"")
    assert f"![mistakes: ResNet-32, width 8]({tmp_path.name}/{kept})" in results_page(tmp_path)
    assert words == "mistakes: ResNet-32, width 8"


def test_learning_curves_that_an_experiment_names_are_shown(tmp_path):
    drawn = ["curves-steps.png", "curves.png"]
    results = gather(find_experiment("degradation"), {}, {}, quick=False) | {"pictures": drawn}
    [(picture, kept, words)] = shown_pictures("degradation", results)
    assert (picture, kept) == ("curves-steps.png", "degradation/curves-steps.png")
    assert words.startswith("Learning curves: plain and residual networks of 20 and 56 layers")


def test_every_kept_picture_stands_on_the_page():
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    for path in KEPT.glob("*/*"):
        assert f"](results/{path.relative_to(KEPT).as_posix()})" in page


def test_a_published_figure_that_changed_since_is_noticed(tmp_path):
    results = example()
    results["variants"][0]["published"] = 9.0
    keep(tmp_path, results)
    with pytest.raises(RunError, match="other variants"):
        kept_results(tmp_path)


def test_words_may_be_mended_after_the_run(tmp_path):
    results = example(about="as it was said once")
    results["variants"][0] |= {"title": "an old title", "note": "an old note"}
    keep(tmp_path, results)
    page = results_page(tmp_path)
    assert "as it was said once" not in page
    assert "an old" not in page
    assert f"| {find_experiment('resnet20').variants[0].title} | 8.75 %" in page


def test_seeds_that_are_asked_for_since_count_as_not_run(tmp_path):
    results = example()
    results["variants"][0]["seeds"] = [0, 1]
    keep(tmp_path, results)
    assert "| 0, 1 (not run: 2) |" in results_page(tmp_path)


def test_no_path_of_a_machine_is_kept():
    for path in KEPT.glob("*.json"):
        for run in (run for row in json.loads(path.read_text())["variants"] for run in row["runs"]):
            assert not re.search(r" /|~|\\\\", run["command"]), run["command"]
