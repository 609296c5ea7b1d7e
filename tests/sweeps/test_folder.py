"""The folder of a sweep: who may take part in it."""

from __future__ import annotations

import tomllib

import pytest

from residua.config.options import FORMAT
from residua.errors import ResiduaError
from residua.sweeps import folder as folders
from residua.sweeps.folder import find_plan, open_folder
from residua.sweeps.plan import read_plan

TEXT = '[train]\ndata = "digits"\n[space]\nwidth = { low = 2, high = 4 }\nrate = [0.1, 0.01]\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(TEXT)
    return path


def opened(file, folder):
    return open_folder(read_plan(file), folder, file)


def test_the_same_sweep_takes_part_by_its_file_and_by_its_folder(file, tmp_path):
    first = opened(file, tmp_path / "out")
    file.write_text("# a remark\n" + TEXT)
    assert opened(file, tmp_path / "out") == first
    plan, begun = find_plan(tmp_path / "out")
    assert begun == tmp_path / "out"
    assert [dimension.name for dimension in plan.space] == ["width", "rate"]  # a grid's order
    assert (plan.space, plan.fixed) == (first.plan.space, first.plan.fixed)
    assert open_folder(plan, begun, begun).path == first.path
    assert first.run(7) == tmp_path / "out" / "trials" / "0007"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.01]", "0.02]", "[space] rate is [0.1, 0.01] there and [0.1, 0.02] here"),
        ("[space]", "epochs = 3\n[space]", "[train] epochs is not given there and 3 here"),
        ("[train]", "[sweep]\nseed = 1\n[train]", "[sweep] seed is not given there and 1 here"),
        (
            TEXT[TEXT.index("[space]") :],
            "[space]\nrate = [0.1, 0.01]\nwidth = { low = 2, high = 4 }\n",
            "has another order there",
        ),
    ],
)
def test_another_sweep_in_the_same_folder_is_refused(file, tmp_path, old, new, words):
    opened(file, tmp_path / "out")
    file.write_text(TEXT.replace(old, new))
    line = refused(opened, file, tmp_path / "out")
    assert f"{tmp_path / 'out'} holds another sweep than {file}" in line
    assert words in line
    assert "--output" in line


def refused(function, *arguments):
    with pytest.raises(ResiduaError) as caught:
        function(*arguments)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_of_something_else_is_refused(file, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.toml").write_text("format = 1\n")
    assert "holds a run: choose another folder with --output" in refused(opened, file, run)
    assert "is not the folder of a sweep: it holds no sweep.toml" in refused(find_plan, run)
    (run / "run.toml").rename(run / "journal.log")
    assert "holds the journal of an unknown sweep" in refused(opened, file, run)
    assert "there is no sweep" in refused(find_plan, tmp_path / "absent.toml")
    (tmp_path / "taken").write_text("")
    assert "cannot make the folder" in refused(opened, file, tmp_path / "taken")


def test_a_folder_from_another_version_is_refused(file, tmp_path, monkeypatch):
    opened(file, tmp_path / "out")
    begun = tmp_path / "out" / "sweep.toml"
    here = tomllib.loads(begun.read_text())["versions"]["residua"]
    text = begun.read_text()
    begun.write_text(text.replace(f'residua = "{here}"', 'residua = "0.0.9"'))
    for look in (lambda: find_plan(tmp_path / "out"), lambda: opened(file, tmp_path / "out")):
        line = refused(look)
        assert f"was begun with residua 0.0.9, and this is {here}: go on with that version, or" in line
        assert "--output" in line
    begun.write_text(text.replace(f"format = {FORMAT}", f"format = {FORMAT + 1}"))
    assert "by a newer residua" in refused(find_plan, tmp_path / "out")
    begun.write_text("format = ")
    assert "cannot read" in refused(find_plan, tmp_path / "out")
    begun.write_text(text)
    monkeypatch.setattr(folders, "package_version", lambda name: "7.1" if name == "optuna" else here)
    assert "was begun with optuna" in refused(find_plan, tmp_path / "out")
