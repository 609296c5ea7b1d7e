"""What is known of models that are compared: names that differ, run folders, options."""

from __future__ import annotations

import pytest

from residua.insight.comparison.runs import differing_settings, model_names, run_facts, run_of


@pytest.fixture
def run(trained):
    return trained / "run"


def test_a_run_is_found_from_its_model_and_a_copy_has_none(run, tmp_path):
    assert run_of(run) == run
    assert run_of(run / "best.safetensors") == run.resolve()
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((run / "best.safetensors").read_bytes())
    assert run_of(copy) is None


def test_names_tell_models_apart(run, tmp_path):
    assert model_names([run, tmp_path / "other.safetensors"]) == ["run", "other"]
    assert model_names([run / "best.safetensors"]) == ["run/best"]
    twins = [tmp_path / folder / "run" for folder in "ab"]
    for twin in twins:
        twin.mkdir(parents=True)
    assert model_names(twins) == [str(twin) for twin in twins]


def test_facts_and_settings(run):
    said = []
    facts = run_facts(run, "it", said.append)
    assert facts.epochs > 0
    assert facts.machine.endswith(" threads")
    assert said == []
    assert differing_settings([run, None, run]) == [{}, None, {}]
