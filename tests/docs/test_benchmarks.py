"""docs/benchmarks.md is drawn from benchmarks/results."""

from __future__ import annotations

from documents import ROOT

from residua.bench.table import paste, tables


def test_the_tables_are_those_of_the_kept_figures():
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    kept = list((ROOT / "benchmarks" / "results").glob("*.json"))
    assert kept
    assert paste(page, tables(kept)) == page
