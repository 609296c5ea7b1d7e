"""Links from documents into code, kept at the right lines.

    python tools/code_links.py            rewrite the links
    python tools/code_links.py --check    name those that are out of date

A link is written as [`symbol`](../src/residua/folder/file.py#L1), where the symbol is a class, a function, a
constant or a method (`Engine.share`, `share()`). The line follows the symbol; the file too, when the symbol
has left it and exactly one file, or one of the same name, has it now.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[`([\w.]+)(\(\))?`\]\(([^)#\s]+\.py)#L(\d+)\)")


@cache
def symbols(path: Path) -> dict[str, int]:
    """Classes, functions, methods and names assigned to at a module's or a class's top, with their lines."""
    return dict(_symbols(ast.parse(path.read_text(encoding="utf-8")), ""))


def _symbols(tree: ast.AST, before: str) -> Iterator[tuple[str, int]]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef(name=name):
                yield before + name, node.lineno
                yield from _symbols(node, f"{before}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield before + name, node.lineno
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield before + name, node.lineno
            case ast.If():
                yield from _symbols(node, before)


def documents(root: Path = ROOT) -> list[Path]:
    """All documents that may point into code."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def links(text: str) -> list[tuple[str, str, int]]:
    """Symbol, file as written, and line of every link into code."""
    return [(symbol, file, int(line)) for symbol, _, file, line in LINK.findall(text)]


def relinked(text: str, folder: Path, root: Path = ROOT) -> tuple[str, list[str]]:
    """The text with every link at its symbol's line, and the symbols that are nowhere or in several files."""
    lost: list[str] = []

    def place(match: re.Match[str]) -> str:
        symbol, call, file, _ = match.groups()
        path = (folder / file).resolve()
        line = symbols(path).get(symbol) if path.exists() else None
        if line is None:
            having = [other for other in _sources(root) if symbol in symbols(other)]
            having = [other for other in having if other.name == path.name] or having
            if len(having) != 1:
                lost.append(f"{symbol}: in {len(having)} files, none of them {file}")
                return match[0]
            path = having[0]
            line, file = symbols(path)[symbol], Path(os.path.relpath(path, folder)).as_posix()
        return f"[`{symbol}{call or ''}`]({file}#L{line})"

    return LINK.sub(place, text), lost


def _sources(root: Path) -> list[Path]:
    return sorted((root / "src").rglob("*.py"))


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    wrong = 0
    for path in documents():
        text = path.read_text(encoding="utf-8")
        right, lost = relinked(text, path.parent)
        for line in lost:
            wrong += 1
            print(f"{path.relative_to(ROOT)}: {line}")
        if right != text and arguments == ["--check"]:
            wrong += 1
            print(f"{path.relative_to(ROOT)}: lines have moved; run python tools/code_links.py")
        elif right != text:
            path.write_text(right, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
