"""One table lists the verbs: what Python exports, what the command line has, and where the files lie."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import residua
from residua import api, errors
from residua.cli import app
from residua.verbs import PUBLIC, VERBS

SOURCE = Path(residua.__file__).parent


def test_the_command_line_has_the_verbs_of_the_table():
    flags = {"--help", "-h", "--version"}
    assert [name for name in app if name not in flags] == [verb.name for verb in VERBS]


def test_a_verb_is_one_file_of_the_same_name():
    modules = {verb.module for verb in VERBS}
    for folder, others in (
        ("cli", {"__init__", "shared", "terminal"}),
        ("api", {"__init__", "inputs", "output"}),
        ("config", {"__init__", "defaults", "limits", "options", "parts", "plain", "shared"}),
    ):
        files = {path.stem for path in (SOURCE / folder).glob("*.py")}
        assert files <= modules | others, folder
        assert others <= files
    for verb in VERBS:
        assert callable(getattr(importlib.import_module(f"residua.cli.{verb.module}"), verb.module))
        assert (SOURCE / "api" / f"{verb.module}.py").exists() == bool(verb.functions)


def test_the_functions_of_the_table_are_where_it_says():
    for verb in VERBS:
        for name in verb.functions:
            assert getattr(api, name).__module__ == f"residua.api.{verb.module}"
            assert name in api.__all__
    functions = {name for verb in VERBS for name in verb.functions}
    helpers = {"Explanations", "TrainResult", "ensemble_file"}
    assert set(api.__all__) == functions | helpers


def test_python_exports_what_the_table_says_and_type_checkers_see_the_same():
    others = {"Classifier", "Model", "build_model", "load_model", "open_engine", "save_model"}
    others |= {error for error in vars(errors) if error.endswith("Error")}
    assert residua.__all__ == sorted({*PUBLIC, *others})
    for name in residua.__all__:
        assert getattr(residua, name).__name__ == name
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = [alias for node in block.body for alias in node.names]
    assert all(alias.name == alias.asname for alias in seen), "exported only under a name of its own"
    assert sorted(alias.name for alias in seen) == residua.__all__
