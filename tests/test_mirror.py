"""The tests of a file are found without search: folders of tests are named as those of src/residua."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from documents import ROOT, present_house

from residua.verbs import VERBS

TESTS = Path(__file__).parent
HOUSE = present_house()
MODULES = [name for name in HOUSE.files if not name.rpartition(".")[2].startswith("__")]


def home_of(module: str) -> list[Path]:
    """The files with the tests of a module: in the folder named as its own, or in that above it."""
    *folders, stem = module.split(".")
    folder = TESTS.joinpath(*folders)
    if folder == TESTS:
        return [path for path in [TESTS / f"test_{stem}.py"] if path.exists()]
    while folder != TESTS:
        found = [*folder.glob("test_*.py"), *folder.parent.glob(f"test_{folder.name}.py")]
        if found:
            return sorted(found)
        folder = folder.parent
    return []


def _named_in(path: Path) -> tuple[set[str], set[Path]]:
    """The modules of residua that a test file names, in imports or in texts, and the helpers it imports."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    modules = {target for target, _ in HOUSE._imported(tree)}
    for name in re.findall(r"residua((?:\.\w+)*)", text):
        parts = name.strip(".").split(".")
        longest = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        modules |= {m for part in longest for m in (part, f"{part}.__init__") if m in HOUSE.files}
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return modules, {file for name in names if (file := TESTS / "helpers" / f"{name}.py").exists()}


@cache
def loaded_by(paths: tuple[Path, ...]) -> set[str]:
    """All modules that these tests need, by themselves or through others."""
    needs = defaultdict(set)
    for entry in HOUSE.imports:
        needs[entry.source].add(entry.target)
    for verb in VERBS:  # both sides load them when they are asked for
        needs["cli.__init__"].add(f"cli.{verb.module}")
        needs["__init__"].add(f"api.{verb.module}")
    modules, files, done = set(), set(paths), set()
    while files:
        path = files.pop()
        done.add(path)
        named, helpers = _named_in(path)
        modules |= named
        files |= helpers - done
    waiting, loaded = list(modules), set()
    while waiting:
        module = waiting.pop()
        if module in HOUSE.files and module not in loaded:
            loaded.add(module)
            waiting += needs[module]
    return loaded


def test_folders_of_tests_are_named_as_those_of_the_sources():
    # cases/ follows what strangers brought, each through every folder that it touches.
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")} - {Path(), Path("cases")}
    unknown = [f for f in folders if ".".join(f.parts) not in HOUSE.folders and not (ROOT / f).is_dir()]
    assert not unknown


@pytest.mark.parametrize("folder", sorted({module.rpartition(".")[0] for module in MODULES}))
def test_every_file_has_tests_that_load_it(folder):
    for module in (name for name in MODULES if name.rpartition(".")[0] == folder):
        home = home_of(module)
        assert home, f"{module} has no tests"
        assert module in loaded_by(tuple(home)), f"{module} is not loaded by {', '.join(map(str, home))}"
