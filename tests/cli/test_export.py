"""`residua export`, and what a stranger does with the file."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from documents import blocks, read
from tiny import answered, call, refused

from residua.api import predict

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def test_the_proof_is_printed_and_kept(trained, tmp_path, capsys):
    out = tmp_path / "model.onnx"
    text = answered(capsys, "export", trained / "run", out, "--threads", 1)
    assert "resnet8 in ONNX" in text
    assert "full check and strict shapes passed" in text
    assert text.splitlines()[-1] == f"ONNX file: {out}, and about it model.onnx.json"
    about = json.loads(out.with_name("model.onnx.json").read_text())
    assert about["verification"]["data"] == "pics, validation split"
    printed = answered(capsys, "export", trained / "run", out, "--json", "--threads", 1)
    assert json.loads(printed) | {"file": "model.onnx"} == about


def test_without_a_proof(trained, tmp_path, capsys):
    text = answered(capsys, "export", trained / "run", tmp_path / "m.onnx", "--no-proof", "--half")
    assert "weights in float16" in text
    assert "without proof: not asked for" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--half", "--int8"), "choose one of --half and --int8"),
        (("--verify", "nowhere"), "nowhere"),
        (("--int8",), "--int8 takes 40 or more labelled pictures"),
    ],
)
def test_refused_in_one_line_and_nothing_is_written(arguments, message, trained, tmp_path, capsys):
    assert message in refused(capsys, "export", trained / "run", tmp_path / "m.onnx", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_stranger_needs_twenty_lines_and_no_residua(trained, tmp_path, capsys):
    """The script in docs/export.md, where residua cannot be imported, names the same classes."""
    code, _, err = call(capsys, "export", trained / "run", tmp_path / "model.onnx")
    assert code == 0, err
    script = next(block for block in blocks(read("docs/export.md"), "py") if "InferenceSession" in block)
    assert "residua." not in script.replace('"residua.model"', "")
    assert sum(bool(line.strip()) for line in script.splitlines()) <= 20
    (tmp_path / "recipient.py").write_text(script)
    files = sorted((trained / "pics").rglob("*.png"))[::5]
    alone = "import sys, runpy; sys.modules['residua'] = None; sys.argv = sys.argv[1:]; "
    command = [sys.executable, "-I", "-c", f"{alone}runpy.run_path(sys.argv[0])", "recipient.py"]
    done = subprocess.run(
        [*command, *map(str, files)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ours = predict(trained / "run", files)
    lines = done.stdout.splitlines()
    assert len(lines) == len(files)
    for line, prediction in zip(lines, ours, strict=True):
        name, probability = line.removeprefix(f"{prediction.file} ").rsplit(" ", 1)
        assert name == prediction.top[0][0]
        assert abs(float(probability) - prediction.top[0][1]) <= 1e-4
