"""Names in documents: files and folders exist, and dotted names of residua can be imported."""

from __future__ import annotations

import re
from pkgutil import resolve_name

import pytest
from documents import NAMES, ROOT, read

SOURCE = ROOT / "src" / "residua"
PLACES = (ROOT, SOURCE, SOURCE / "engines" / "numba")
# Folders and files of readers of the documents, not of the house.
THEIRS = {"photos", "my-photos", "pictures", "runs", "train", "val", "test", "squeezenet1.1-imagenet"}
PRESENT = [name for name in NAMES if name != "CHANGELOG.md"]  # which tells of former times


def _code(name: str) -> list[str]:
    """What stands between backticks, but not in fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", read(name), flags=re.DOTALL))


@pytest.mark.parametrize("name", PRESENT)
def test_paths_exist(name):
    """A path lies below the root, src/residua or the fast engine; a bare file anywhere in the source."""
    files = {path.name for path in SOURCE.rglob("*.py")} | THEIRS
    paths = [code for code in _code(name) if re.fullmatch(r"[\w/.-]*(?:/|\.py)", code)]
    known = [path for path in paths if path.strip("/") in files or any((p / path).exists() for p in PLACES)]
    assert [path for path in paths if path not in known] == []


@pytest.mark.parametrize("name", PRESENT)
def test_dotted_names_can_be_imported(name):
    for code in _code(name):
        if match := re.fullmatch(r"(residua(?:\.\w+)+)(?:\(.*\))?", code):
            resolve_name(match[1])
