"""The house itself: which folder may import from which, what importing loads, and how long a file gets."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import residua

SOURCE = Path(residua.__file__).parent

# Each room may import from those before it, and from itself.
ORDER = [
    {"errors", "cores"},
    {"config"},
    {"options", "variables"},
    {"engines"},
    {"layers"},
    {"files"},
    {"data"},
    {"models"},
    {"training"},
    {"insight"},
    {"testing"},
    {"bench"},
    {"api", "classifier"},
    {"cli"},
    {"__init__", "__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
# Warming compiles kernels by running a network, so it knows layers though it lives with its engine;
# `python -m residua.bench` is the command line's verb.
KNOWN = {("engines/numba/warming.py", "layers"), ("bench/__main__.py", "cli")}

FILES = sorted(SOURCE.rglob("*.py"))


def _room(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def _imports(path: Path) -> set[str]:
    """The rooms that a file takes anything from."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("residua"):
            parts = node.module.split(".")
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
            rooms.update(name for name in names if name in FLOOR)
    return rooms


def test_every_room_has_its_floor():
    assert {_room(path) for path in FILES} <= set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_data_flows_one_way(path):
    room = _room(path)
    for other in _imports(path):
        allowed = other == room or FLOOR[other] < FLOOR[room]
        known = (path.relative_to(SOURCE).as_posix(), other) in KNOWN
        assert allowed or known, f"{room} may not import from {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_importing_residua_loads_nothing_heavy():
    code = "import sys, residua; print([m for m in ('numpy', 'numba', 'sklearn', 'PIL') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
