"""The house itself: circles, imports upwards, what folders say of themselves, and how long a file gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT, load_tool, present_house

house, HOUSE = load_tool("house"), present_house()


def _project(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "pkg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    (folder / "pkg" / "__init__.py").touch()
    return folder / "pkg"


def test_no_neighbours_import_each_other():
    ties = [f"{e.source} -> {e.target} {e.names}" for c in HOUSE.circles() for e in HOUSE.between(c)]
    assert not ties, "\n".join(ties)


def test_folders_import_what_they_say():
    wrong = [f"{folder}: {e.source} -> {e.target}" for folder, e in HOUSE.forbidden()]
    assert not wrong, "\n".join(wrong)


def test_every_folder_says_what_lives_there_and_what_it_may_touch():
    silent = [folder for folder in HOUSE.folders if len(HOUSE.says(folder).split()) < 4]
    assert not silent
    top = [folder for folder in HOUSE.folders if "." not in folder]
    assert [folder for folder in top if HOUSE.allowed(folder) is None] == []


def test_a_circle_is_found_wherever_it_is(tmp_path):
    """Between files, between folders, within functions, and for types only."""
    source = _project(
        tmp_path,
        {
            "low/a.py": "from pkg.low.b import y\nx = 1\n",
            "low/b.py": "def f():\n    from pkg.low import a\n    return a\ny = 1\n",
            "low/c.py": "x = 1\n",
            "high/d.py": "import pkg.low.c\n",
            "low/e.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.high import d\n",
        },
    )
    assert house.House(source, "pkg").circles() == [["high", "low"], ["low.a", "low.b"]]


def test_an_import_upwards_is_found(tmp_path):
    source = _project(tmp_path, {"low/a.py": "from pkg.high.b import x\n", "high/b.py": "x = 1\n"})
    (source / "low" / "__init__.py").write_text('"""Low.\n\nMay import: nothing.\n"""\n')
    found = house.House(source, "pkg").forbidden()
    assert [(folder, entry.source, entry.target) for folder, entry in found] == [("low", "low.a", "high.b")]


def test_the_table_of_folders_is_drawn_from_their_first_lines():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert house.with_table(text, HOUSE.table()) == text, "run `python tools/house.py --table`"


@pytest.mark.parametrize("name", HOUSE.files)
def test_a_file_can_be_read_in_one_sitting(name):
    assert len(HOUSE.files[name].read_text(encoding="utf-8").splitlines()) <= 300


def test_importing_residua_loads_nothing_heavy():
    code = "import sys, residua; print([m for m in ('numpy', 'numba', 'sklearn', 'PIL') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
