"""Tables for a document out of JSON files."""

from __future__ import annotations

import json

import pytest

from residua.bench import (
    table,
)
from residua.bench.cases import MEASURES
from residua.bench.harness import time_both_sides
from residua.bench.results import Goal, Result
from residua.bench.run import run_bench
from residua.config import BenchConfig
from residua.errors import ConfigError


@pytest.fixture
def figures(monkeypatch):
    def measure(harness):
        yield time_both_sides(harness, "smoke", "Work one", 1e8, lambda: None, {}, Goal(">=", 3.0))
        both = {"residua": [[2.0]], "PyTorch": [[5.0]]}
        yield Result("smoke", "Work two", 1, "ms", both, goal=Goal(">=", 3.0))
        yield Result("smoke", "Work three", 1, "ms", {"one": [[4.0]], "two": [[2.0]]}, over=("one", "two"))

    monkeypatch.setitem(MEASURES, "smoke", measure)
    return run_bench(BenchConfig(cases=("smoke",), engine="numpy", threads=1), say=lambda text: None)


def test_figures_become_tables(figures):
    lines = table.table(figures).splitlines()
    assert lines[2].startswith("| work | residua | PyTorch | PyTorch / residua | to reach |")
    assert lines[4].startswith("| Work one | ")
    assert " ms (" in lines[4]
    assert lines[4].split("|")[3:6] == ["  ", "  ", " >= 3 "]
    assert lines[5].startswith(
        "| Work two | 2 ms (2 to 2) | 5 ms (5 to 5) | 2.50 (2.50 to 2.50) | >= 3: **missed** |"
    )
    assert lines[7] == "| work | one | two | one / two | to reach |"
    assert lines[9] == "| Work three | 4 ms (4 to 4) | 2 ms (2 to 2) | 2.00 (2.00 to 2.00) |  |"
    columns = {line.count("|") for line in lines[2:6]}
    assert len(columns) == 1


def test_tables_go_into_a_document_in_one_step(figures, tmp_path, capsys):
    path, document = tmp_path / "figures.json", tmp_path / "page.md"
    path.write_text(json.dumps(figures))
    document.write_text(f"Before.\n\n{table.BEGIN}\nold\n{table.END}\n\nAfter.\n")
    table.main([str(path), "--into", str(document)])
    written = document.read_text()
    assert written.startswith(f"Before.\n\n{table.BEGIN}\n\n")
    assert written.endswith(f"\n{table.END}\n\nAfter.\n")
    assert "old" not in written
    assert table.table(figures) in written
    table.main([str(path), "--into", str(document)])
    assert document.read_text() == written
    table.main([str(path)])
    assert capsys.readouterr().out == table.table(figures)


def test_the_newest_day_comes_first_whatever_the_order_of_the_files(figures, tmp_path, capsys):
    days = {"a": "2026-11-28T23:00", "b": "2026-11-29T12:00", "c": "2026-11-29T11:00"}
    paths = {name: tmp_path / f"{name}.json" for name in days}
    for name, day in days.items():
        paths[name].write_text(json.dumps(figures | {"measured": day, "clock": f"clock {name}"}))
    table.main([str(paths[name]) for name in "acb"])
    heads = [line for line in capsys.readouterr().out.splitlines() if "; measured" in line]
    assert [line.split("clock ")[1][0] for line in heads] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("content", "words"), [("{", "is no JSON file"), ("[]", "holds no figures"), (None, "cannot read")]
)
def test_files_that_hold_no_figures_are_refused(tmp_path, content, words):
    path = tmp_path / "figures.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=words):
        table.main([str(path)])


def test_a_document_needs_its_marks():
    with pytest.raises(ConfigError, match="the tables go between them"):
        table.paste("no marks", "tables")
    with pytest.raises(ConfigError, match="document after --into"):
        table.main(["x.json", "--into"])
