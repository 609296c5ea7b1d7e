"""The house as its own imports tell it: folders, what each may import, circles and imports upwards.

    python tools/house.py            circles and forbidden imports, or that there are none
    python tools/house.py --table    the table of folders in CONTRIBUTING.md, written anew

A folder says in its `__init__.py` what lives there (the first line) and what it may touch (a paragraph that
begins with `May import:`). Everything is read from the source; nothing of residua is imported.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "residua"
NOTHING = "nothing"


@dataclass(frozen=True)
class Import:
    """One module takes names from another. Modules are dotted names below `residua`."""

    source: str
    target: str
    names: tuple[str, ...]


def dotted(path: Path, source: Path) -> str:
    """A file's module, such as `layers.base`; a folder's own file is `layers.__init__`."""
    return ".".join(path.relative_to(source).with_suffix("").parts)


class House:
    """All modules below a folder and the imports between them."""

    def __init__(self, source: Path = SOURCE, package: str = "residua") -> None:
        self.source, self.package = source, package
        self.files = {dotted(path, source): path for path in sorted(source.rglob("*.py"))}

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """What every file says, parsed."""
        return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.files.items()}

    @cached_property
    def folders(self) -> list[str]:
        """Every folder below the top one, as a dotted name."""
        return [name.removesuffix(".__init__") for name in self.files if name.endswith(".__init__")]

    @cached_property
    def imports(self) -> list[Import]:
        """Every import of one module by another, those within functions and for types too."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for module, tree in self.trees.items():
            for target, name in self._imported(tree):
                if target != module:
                    found[module, target].add(name)
        return [Import(*ends, tuple(sorted(names))) for ends, names in sorted(found.items())]

    def _imported(self, tree: ast.AST) -> Iterator[tuple[str, str]]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                below = self._below(node.module)
                for alias in node.names if below is not None else ():
                    if target := self._module(below, alias.name):
                        yield target, alias.name
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    below = self._below(alias.name)
                    if below is not None and (target := self._module(below, "")):
                        yield target, ""

    def _below(self, name: str) -> str | None:
        first, _, rest = name.partition(".")
        return rest if first == self.package else None

    def _module(self, below: str, name: str) -> str | None:
        """The module that `from package.below import name` reads."""
        whole = ".".join(filter(None, (below, name)))
        for candidate in (whole, f"{whole}.__init__", below, f"{below}.__init__".lstrip(".")):
            if candidate in self.files:
                return candidate
        return None

    # ------------------------------------------------------------------ circles
    def circles(self) -> list[list[str]]:
        """Neighbours (files and folders of one folder) that import each other, by whatever way round.

        Where there are none, the neighbours can be put in an order in which every import points one way: an
        import upwards is one that closes a circle.
        """
        found = []
        for folder in ["", *self.folders]:
            before = f"{folder}." if folder else ""
            edges: dict[str, set[str]] = defaultdict(set)
            for entry in self.imports:
                if entry.source.startswith(before) and entry.target.startswith(before):
                    ends = [
                        end.removeprefix(before).partition(".")[0] for end in (entry.source, entry.target)
                    ]
                    if ends[0] != ends[1]:
                        edges[ends[0]].add(ends[1])
            found += [[before + name for name in circle] for circle in _circles(edges)]
        return found

    def between(self, neighbours: list[str]) -> list[Import]:
        """The imports that tie a circle."""
        return [
            entry
            for entry in self.imports
            if (ends := [_owner(end, neighbours) for end in (entry.source, entry.target)])[0] != ends[1]
            and None not in ends
        ]

    # ------------------------------------------------------------------ what folders say of themselves
    def says(self, folder: str) -> str:
        """The first line of a folder's docstring (of a file's, where it is one)."""
        return self._docstring(folder).partition("\n")[0]

    def allowed(self, folder: str) -> list[str] | None:
        """What a folder may import, as dotted names; None where it does not say."""
        for paragraph in self._docstring(folder).split("\n\n"):
            if paragraph.startswith("May import:"):
                listed = " ".join(paragraph.removeprefix("May import:").split()).rstrip(".")
                return [] if listed == NOTHING else [name.strip(" `") for name in listed.split(",")]
        return None

    def _docstring(self, folder: str) -> str:
        tree = self.trees.get(f"{folder}.__init__".lstrip("."), self.trees.get(folder))
        return (ast.get_docstring(tree) if isinstance(tree, ast.Module) else None) or ""

    def forbidden(self) -> list[tuple[str, Import]]:
        """Imports that leave a folder for something which the folder does not say it may import."""
        found = []
        for folder in self.folders:
            allowed = self.allowed(folder)
            if allowed is None:
                continue
            for entry in self.imports:
                inside, outside = (_within(end, folder) for end in (entry.source, entry.target))
                if inside and not outside and not any(_within(entry.target, name) for name in allowed):
                    found.append((folder, entry))
        return found

    def table(self) -> str:
        """Markdown: every folder, what lives there, and what it may import."""
        rows = ["| folder | what lives there | may import |", "|---|---|---|"]
        for folder in sorted(self.folders, key=lambda name: name.split(".")):
            allowed = self.allowed(folder)
            told = "as its folder" if allowed is None else ", ".join(f"`{a}`" for a in allowed) or NOTHING
            rows.append(f"| `{folder.replace('.', '/')}/` | {self.says(folder)} | {told} |")
        return "\n".join(rows)


def _within(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


def _owner(module: str, neighbours: list[str]) -> str | None:
    return next((name for name in neighbours if _within(module, name)), None)


def _circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one node (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            place = stack.index(node)
            if len(stack) - place > 1:
                found.append(sorted(stack[place:]))
            del stack[place:]

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


BEGIN, END = "<!-- folders: begin (tools/house.py --table) -->", "<!-- folders: end -->"


def with_table(text: str, table: str) -> str:
    """A document with the table between its two marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.split(END)[1]}"


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    house = House()
    if arguments == ["--table"]:
        path = ROOT / "CONTRIBUTING.md"
        path.write_text(with_table(path.read_text(encoding="utf-8"), house.table()), encoding="utf-8")
        return 0
    wrong = 0
    for circle in house.circles():
        wrong += 1
        print("circle:", " <-> ".join(circle))
        for entry in house.between(circle):
            print(f"    {entry.source} -> {entry.target}: {', '.join(entry.names)}")
    for folder, entry in house.forbidden():
        wrong += 1
        print(f"{folder} may not import {entry.target} ({entry.source}: {', '.join(entry.names)})")
    print(f"{len(house.files)} files in {len(house.folders)} folders, {wrong} circles and forbidden imports")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
