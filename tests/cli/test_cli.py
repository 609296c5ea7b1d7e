"""The program as it is started: help, version, exit codes, and an end without a traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from typing import get_type_hints

import pytest
from tiny import OPTIONS, answered, call, paint_folder, refused

from residua.cli import app, run
from residua.cli.train import Files
from residua.config import TrainConfig
from residua.models import MODELS
from residua.verbs import VERBS as TABLE


def sections(verb):
    """The dataclasses whose fields are a verb's options."""
    return tuple(hint for hint in get_type_hints(app[verb].default_command).values() if is_dataclass(hint))


VERBS = {verb.name: sections(verb.name) for verb in TABLE}


def start(*arguments, python=(), **options):
    """The program in a process of its own; one thread, as the other tests."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "COLUMNS": "80"} | options.pop("env", {})
    command = [sys.executable, *python, "-m", "residua", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environment, timeout=120, **options)


# ---------------------------------------------------------------- help
@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("verb", VERBS)
def test_help_lists_every_option_with_description_and_default(capsys, terminal, verb):
    page = answered(capsys, verb, "--help")
    assert max(map(len, page.splitlines())) <= 80
    words = " ".join(re.sub(r"[│╭╮╰╯─]|--no-[a-z-]+", " ", page).split())
    described = " ".join(app[verb].help.split("Parameters\n")[0].split())
    assert described in words
    for section in VERBS[verb]:
        for entry in fields(section):
            flag = "--" + entry.name.strip("_").replace("_", "-")
            match = re.search(rf"{flag} (?:[A-Z]+(?:\.\.\.)? )?(\S.*?)(?= --[a-z]|$)", words)
            assert match, flag
            assert len(match[1]) > 10, f"{flag} is not described"
            if entry.default is True or entry.default is False:
                assert f"[default: {'yes' if entry.default else 'no'}]" in match[1]
            elif isinstance(entry.default, str | int | float):
                assert f"[default: {entry.default}]" in match[1]
    assert "None" not in page
    assert "[default: ()]" not in page


@pytest.mark.parametrize(("verb", "flag"), [("experiment", "--variants"), ("explain", "--methods")])
def test_help_does_not_say_none_of_what_is_all_where_it_is_left_out(capsys, terminal, verb, flag):
    page = " ".join(re.sub(r"[│╭╮╰╯─]", " ", answered(capsys, verb, "--help")).split())
    described = re.search(rf"{flag} [A-Z]+\.\.\. (.*?)(?= --[a-z-]+ )", page)
    assert "(all" in described[1]
    assert "default" not in described[1]


def test_help_of_the_program(capsys, terminal):
    page = answered(capsys, "--help")
    for verb in VERBS:
        assert re.search(rf"│ {verb} +[A-Z]", page), verb
    assert page == answered(capsys)  # without arguments, the same
    assert page == answered(capsys, "-h")


def test_every_dataclass_of_options_is_reachable():
    groups = [hint for hint in get_type_hints(TrainConfig).values() if is_dataclass(hint)]
    assert set(VERBS["train"]) == {*groups, Files}


def test_help_loads_nothing_heavy():
    program = (
        "import sys\nfrom residua.cli import run\n"
        f"for verb in {[[], *[[verb] for verb in VERBS]]!r}:\n"
        "    assert run([*verb, '--help']) == 0\n"
        "    heavy = set('numpy scipy sklearn matplotlib PIL safetensors numba jax torch pooch'.split())\n"
        "    assert not heavy & set(sys.modules), (verb, heavy & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_version_and_both_ways_to_start(capsys):
    assert answered(capsys, "--version").strip() == version("residua")
    done = start("--version")
    assert (done.returncode, done.stdout.decode().strip(), done.stderr) == (0, version("residua"), b"")
    script = subprocess.run(
        [sys.executable, "-c", "from residua.cli import main; main(['models'])"], capture_output=True
    )
    assert script.returncode == 0
    assert script.stdout.decode() == answered(capsys, "models")


# ---------------------------------------------------------------- what cannot be meant
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian", "digits"], 'Unknown command "trian". Did you mean "train"?'),
        (["-x"], 'Unknown command "-x"'),
        (["train", "digits", "--epoch", "3"], "Unknown option: --epoch. Did you mean --epochs?"),
        (["train", "--xyzzy"], "`residua train --help` lists those that there are"),
        (["train", "digits", "again"], "there is no use for 'again'"),
        (["train", "digits", "--flip", "yes"], "there is no use for 'yes'"),
        (["train", "--epochs", "many"], "--epochs takes a whole number; it was given 'many'"),
        (["train", "--epochs", "1.5"], "--epochs takes a whole number; it was given '1.5'"),
        (["train", "--batch=2.0"], "--batch takes a whole number; it was given '2.0'"),
        (["models", "--size", "1.5"], "--size takes a whole number; it was given '1.5'"),
        (["train", "--rate", "fast"], "--rate takes a number; it was given 'fast'"),
        (["train", "--rate", "nan"], "--rate takes a number; it was given nan"),
        (["train", "--epochs", "0"], "--epochs takes 1 or more; it was given 0"),
        (["train", "--epochs", "1", "--epochs", "2"], "--epochs specified multiple times"),
        (["train", "--optimizer", "sdg"], 'Did you mean "sgd"?'),
        (["train", "--engine", "nunpy"], 'Did you mean "numpy"?'),
        (["train", "--resume"], "--resume requires an argument"),
        (["train", "--batch"], "--batch requires an argument"),
        (["train", "--hidden", "3", "x"], "--hidden takes a whole number; it was given 'x'"),
        (
            ["train", "--model", "resnet21"],
            "no model 'resnet21'. Did you mean 'resnet32' or 'resnet20'",
        ),
        (["evaluate"], "MODEL requires an argument"),
        (["evaluate", "m", "--split", "tset"], 'Did you mean "test"?'),
        (["evaluate", "m", "--batch", "0"], "--batch takes 1 or more"),
        (["predict", "m"], "predict needs pictures or folders after the model"),
        (["predict", "m", "a.png", "--json", "--csv"], "choose one of --json and --csv"),
        (["predict"], "MODEL requires an argument"),
        (["models", "--size", "0"], "--size takes 1 or more; it was given 0"),
        (["models", "--width", "0"], "--width takes 1 or more; it was given 0"),
        (["models", "--classes", "-3"], "--classes takes 1 or more; it was given -3"),
        (["summary", "resnet21"], "`residua models` lists them"),
        (["summary", "resnet8", "--model", "resnet20"], "summary takes one model"),
        (["summary", "resnet8", "--size", "0"], "--size takes 1 or more"),
        (["import", "nofile.pth"], "cannot read nofile.pth: No such file or directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant(capsys, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, *arguments)
    assert os.listdir(tmp_path) == []


def test_summary_of_a_trained_model_takes_no_other_network(capsys, trained):
    for further in (["--width", "3"], ["--channels", "1"], ["--classes", "4"], ["--shortcut", "B"]):
        assert "its network is fixed" in refused(capsys, "summary", trained / "run", *further)
    small = answered(capsys, "summary", trained / "run")
    large = answered(capsys, "summary", trained / "run", "--size", "16")
    assert "resnet8 for pictures of 8x8x3" in small
    assert "resnet8 for pictures of 16x16x3" in large
    assert "4,870" in small


def test_models_and_summary(capsys):
    table = answered(capsys, "models")
    for name, card in MODELS.items():
        assert re.search(rf"^{name} +\d+x\d+x\d +{card.classes} +{card.parameters:,} ", table, re.M), name
    table = answered(capsys, "models", "--size", "28", "--channels", "1", "--classes", "5", "--width", "8")
    assert re.search(r"^resnet20 +28x28x1 +5 +67,741 ", table, re.M)
    assert re.search(r"^vgg16 +28x28x1 +5 +needs larger pictures ", table, re.M)
    page = answered(capsys, "summary", "resnet20", "--shortcut", "B", "--hidden", "7")
    assert "stage2.0.shortcut" in page


# ---------------------------------------------------------------- how it ends
def test_errors_in_a_process_of_its_own(tmp_path):
    done = start("train", "digist", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(
        b"residua: 'digist' is neither a data set nor a folder. Did you mean 'digits'"
    )
    assert len(done.stderr.splitlines()) == 1


def test_whoever_stops_reading_ends_it_quietly(trained):
    command = f"'{sys.executable}' -m residua predict '{trained / 'run'}' '{trained / 'pics'}' | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, timeout=60)
    assert done.stderr == b"Engine: numpy\n"
    assert len(done.stdout.splitlines()) == 1
    command = f"'{sys.executable}' -m residua models | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
    assert done.stderr == b""
    assert done.stdout in (b"141\n", b"0\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_an_output_that_is_full_is_told():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "residua", "models"], stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert done.stderr == b"residua: the output: No space left on device\n"


@pytest.mark.sample(1)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_names_that_are_no_text_are_printed_all_the_same(trained, tmp_path, encoding):
    odd = os.fsencode(tmp_path) + b"/\xff \xc3\xbc.png"
    try:
        with open(odd, "wb") as stream:
            stream.write((trained / "pics" / "red" / "0.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes only names that are text")
    for form in ([], ["--csv"], ["--json"]):
        done = start(
            "predict",
            trained / "run",
            os.fsdecode(odd),
            os.fsdecode(odd) + "x",
            *form,
            env={"PYTHONIOENCODING": f"{encoding}:strict"},
        )
        assert done.returncode == 1
        assert b"red" in done.stdout
        assert b"Traceback" not in done.stderr
        assert done.stderr.startswith(b"Engine: numpy\nresidua: Cannot read ")
        if form == ["--json"]:
            assert json.loads(done.stdout)[0]["file"] == os.fsdecode(odd)
        elif encoding == "utf-8":
            assert odd in done.stdout


def test_ctrl_c_before_training_and_its_exit_code(monkeypatch, capsys):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("residua.api.train", interrupt)
    code, _, err = call(capsys, "train")
    assert (code, err) == (130, "residua: interrupted\n")


def test_too_little_memory_is_one_line(monkeypatch, capsys):
    def too_large(**_):
        raise MemoryError("Unable to allocate 40.0 GiB")

    monkeypatch.setattr("residua.api.train", too_large)
    assert "not enough memory (Unable to allocate 40.0 GiB): use a smaller --batch" in refused(
        capsys, "train"
    )


def test_terminated_in_the_middle_it_says_how_to_go_on(tmp_path):
    """SIGTERM to a real process: a checkpoint, one line, exit code 130; then it goes on."""
    paint_folder(tmp_path / "pics")
    long = [*OPTIONS[:-4], "--epochs", "100000", "--threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "residua", "train", "pics", *long, "--run", "run", "--engine", "numpy"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    for line in process.stdout:
        if line.startswith(b"epoch"):
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.fullmatch(
        rb"residua: Stopped after step \d+, in epoch \d+ of 100000; go on with: residua train --resume run\n",
        err,
    )
    assert list((tmp_path / "run").glob("checkpoint-*"))


def test_an_unknown_fault_is_not_hidden(monkeypatch):
    """What nobody foresaw is a fault of ours: it must reach whoever can mend it."""

    def fault(**_):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("residua.api.train", fault)
    with pytest.raises(ZeroDivisionError):
        run(["train"])
