"""Classes called price_$5_to_$10: names are drawn, printed and kept as they are written, by every verb.

The folder of pictures, the run folder and the files have such names too, and others that programs trip over.
"""

from __future__ import annotations

import csv
import io
import json
import warnings
from contextlib import redirect_stderr, redirect_stdout

import odd_names
import pytest
from repeated import draw_whole
from tiny import OPTIONS, call, paint

import residua.api
from residua.cli import run
from residua.config import PredictConfig
from residua.insight.prediction.text import write_csv, write_json
from residua.models.model_file import load_model

CLASSES = ("price_$5_to_$10", r"$x_ $\frac{ 100%^2 \n", "猫", "\x1b[31ma\nb", "caf\udce9", odd_names.LONG[0])
FOLDER = "-$a_$b 犬\n\x1b[2J"
FILE = "IMG_$1_$x_{} 🐟\u202e.png"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """pictures and a run of such names, trained through the command line."""
    root = tmp_path_factory.mktemp("$m_$") / FOLDER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(root / "cache"))
        for place, name in enumerate(CLASSES):
            for number in range(6):
                colour = (20 + 40 * place, 220 - 40 * place, 90)
                paint(root / "pics" / name / FILE.format(number), colour, 10 * place + number)
        patch.chdir(root)
        (root / "pics").rename(root / "-$p_ pics")
        yield root


@pytest.fixture(scope="module")
def ran(folder):
    """What training printed: exit code, output, errors."""
    out, err = io.StringIO(), io.StringIO()
    arguments = ["train", "./-$p_ pics", *OPTIONS, "--engine", "numpy", "--run", "run $r_$"]
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        draw_whole(patch)  # this is before any test's own fixtures
        warnings.simplefilter("error")
        code = run(arguments)
    return code, out.getvalue(), err.getvalue()


def test_training_ends_with_its_pictures(folder, ran):
    code, out, err = ran
    assert code == 0, err
    assert "Test accuracy" in out
    assert odd_names.obeyed(out + err) == []
    assert {path.suffix for path in (folder / "run $r_$").iterdir()} >= {".png", ".toml", ".jsonl"}
    assert (folder / "run $r_$" / "confusion.png").exists()
    assert set(load_model(folder / "run $r_$").classes) == set(CLASSES)


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "run $r_$", "--output", "o"),
        ("mistakes", "run $r_$"),
        ("calibrate", "run $r_$"),
        ("curves", "run $r_$"),
        ("inside", "run $r_$"),
        ("compare", "run $r_$", "run $r_$/last.safetensors"),
        ("report", "run $r_$"),
        ("check", "./-$p_ pics", "--size", "8"),
        ("explain", "run $r_$", "FILE"),
        ("fool", "run $r_$", "FILE"),
        ("predict", "run $r_$", "FILE"),
        ("train", "--resume", "run $r_$"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_verb_says_and_draws_names_as_they_are(capsys, folder, ran, arguments):
    picture = f"./-$p_ pics/{CLASSES[0]}/{FILE.format(0)}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, out, err = call(capsys, *(picture if part == "FILE" else part for part in arguments))
    assert code == 0, err
    assert odd_names.obeyed(out + err) == []
    if arguments[0] in ("evaluate", "mistakes", "predict", "check"):
        assert "price_$5_to_$10" in out


def test_tables_for_programs_keep_names_to_the_letter(folder, ran):
    picture = f"./-$p_ pics/{CLASSES[3]}/{FILE.format(0)}"
    model = load_model("run $r_$")
    table = io.StringIO()
    write_csv(residua.api.iterate_predictions(model, [picture], PredictConfig(top=6)), table, 6)
    (row,) = csv.DictReader(io.StringIO(table.getvalue()))
    assert row["file"] == picture
    assert {value for key, value in row.items() if key.startswith("class")} == set(CLASSES)
    page = io.StringIO()
    write_json(residua.api.iterate_predictions(model, [picture], PredictConfig(top=6)), page, 6)
    assert json.loads(page.getvalue())[0]["file"] == picture
