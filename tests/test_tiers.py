"""The tiers of tests: what is drawn in the first, that a seed repeats it, and that all run in the second."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HELPERS = Path(__file__).parent / "helpers"
SAMPLED = """
import pytest
from tiers import draw

@pytest.mark.sample(3)
@pytest.mark.parametrize("number", range(20))
def test_drawn(number): pass

@pytest.mark.sample(1, by="kind")
@pytest.mark.parametrize("kind", "ab")
@pytest.mark.parametrize("number", range(5))
def test_drawn_by_kind(kind, number): pass

@pytest.mark.exhaustive
def test_late(): pass

def test_always(): print("loop", draw(range(10), 2))
"""


def ran(folder, *arguments, seed="7"):
    """The names of the tests that ran, and all that was printed."""
    (folder / "test_it.py").write_text(SAMPLED)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -m 'not exhaustive' --strict-markers\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tiers",
        "-p",
        "costs",
        "-p",
        "no:cacheprovider",
        "-vs",
        *arguments,
    ]
    environment = os.environ | {"PYTHONPATH": str(HELPERS), "RESIDUA_TEST_SEED": seed}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return re.findall(r"::(\S+)", done.stdout), done.stdout


def test_the_first_tier_is_drawn_and_its_seed_repeats_it(tmp_path):
    names, printed = ran(tmp_path)
    assert "RESIDUA_TEST_SEED=7" in printed
    assert sum(name.startswith("test_drawn[") for name in names) == 3
    kinds = sorted(re.findall(r"test_drawn_by_kind\[\d-(.)\]", printed))
    assert kinds == ["a", "b"]
    assert "test_late" not in names
    assert re.search(r"loop \[\d, \d\]", printed)
    again, printed = ran(tmp_path, "--costs=2")
    assert again[: len(names)] == names
    # One file and two tests, with what each has cost.
    assert re.findall(r"^ +\d\.\d\d  test_it\.py(\S*)$", printed, re.MULTILINE)[0] == ""
    assert len(again) == len(names) + 2
    assert ran(tmp_path, seed="8")[0] != names


@pytest.mark.parametrize("arguments", [["-m", ""], ["test_it.py::test_late"]])
def test_everything_runs_when_it_is_asked_for(tmp_path, arguments):
    names, printed = ran(tmp_path, *arguments)
    assert "test_late" in names
    if arguments[0] == "-m":
        assert len(names) == 20 + 10 + 1 + 1
        assert "loop [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" in printed
