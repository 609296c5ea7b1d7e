"""Whatever is wrong with what comes in: one line that names it, exit code 2, and nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import re
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest
from tiny import OPTIONS, answered, call, contents, paint, paint_folder, refused

from residua.files import durable
from residua.files.tensors import write_tensors
from residua.training import run_folder

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Relative names, such as runs/, belong to this test's folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def idx(values):
    values = np.asarray(values, np.uint8)
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def huge_png():
    """The header of a PNG of 30,000 x 30,000 pixels, and an end."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


# ---------------------------------------------------------------- folders that cannot be trained on
def no_folders(root):
    root.mkdir()


def only_pictures(root):
    paint(root / "1.png", (1, 2, 3), 0)


def one_class(root):
    paint_folder(root, ("cat",))


def a_class_without_pictures(root):
    paint_folder(root)
    (root / "green").mkdir()


def an_unknown_class_in_test(root):
    paint_folder(root / "train")
    paint_folder(root / "test", ("blue", "yak"))


def too_few(root):
    paint_folder(root, count=1)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (no_folders, r"pics is empty; put the pictures into one folder per class"),
        (only_pictures, r"pics holds pictures but no folders; .*one folder per class.*--labels"),
        (one_class, r"only the class 'cat'; it takes two or more"),
        (a_class_without_pictures, r"pics/green holds no pictures; add some or remove it"),
        (an_unknown_class_in_test, r"Class 'yak' .*not in train/; add pictures of it to train/"),
        (too_few, r"needs classes with at least two pictures each; add some"),
    ],
)
def test_folders_that_cannot_be_trained_on(here, capsys, build, named):
    build(here / "pics")
    line = refused(capsys, "train", "pics", *OPTIONS)
    assert re.search(named, line), line
    assert sorted(os.listdir(here)) == ["pics"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty (0 bytes)"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "it holds a web page"),
        ("half", "truncated"),
        (huge_png(), "30000x30000 pixels, more than 100 million"),
        (b"nonsense", "it is a text file"),
    ],
    ids=["zero bytes", "web page", "truncated", "huge", "nonsense"],
)
def test_a_bad_picture_stops_a_small_folder_and_is_passed_over_in_a_large_one(
    here, capsys, content, reason, trained
):
    pics = paint_folder(here / "pics")
    if content == "half":
        whole = (pics / "red" / "0.png").read_bytes()
        content = whole[: len(whole) // 2]
    (pics / "red" / "bad.jpg").write_bytes(content)
    line = refused(capsys, "train", "pics", *OPTIONS)
    assert reason in line
    assert "red/bad.jpg" in line
    assert "more than 1 %" in line
    assert "Mend or remove" in line
    assert not (here / "runs").exists()

    code, out, err = call(
        capsys, "predict", trained / "run", pics / "red" / "bad.jpg", pics / "blue" / "0.png"
    )
    assert code == 1
    assert out.splitlines()[0] == f"{pics / 'red' / 'bad.jpg'}   cannot be read"
    assert out.splitlines()[1].startswith(f"{pics / 'blue' / '0.png'}   blue ")
    assert err.startswith("Engine: numpy\nresidua: Cannot read")
    assert "red/bad.jpg" in err
    assert reason in err


def test_one_bad_picture_in_two_hundred_is_named_and_skipped(here, capsys):
    paint_folder(here / "pics", count=101)
    (here / "pics" / "red" / "bad.png").write_bytes(b"")
    out = answered(capsys, "train", "pics", *OPTIONS)
    assert "Skipped: Cannot read pics/red/bad.png: it is empty (0 bytes)." in out
    assert "Test accuracy" in out


def test_a_huge_picture_is_refused_before_it_is_decoded(here, trained):
    (here / "huge.png").write_bytes(huge_png())
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    from residua import predict

    (prediction,) = predict(trained / "run", here / "huge.png")
    assert "30000x30000" in prediction.error
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000, "kilobytes; the decoded picture would take 2.7 GB"


# ---------------------------------------------------------------- labels
def mnist(folder, labels):
    folder.mkdir(parents=True)
    pictures = np.zeros((len(labels), 28, 28))
    for stem in ("train", "t10k"):
        (folder / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pictures)))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(idx(labels))


def test_a_label_that_is_none_of_the_classes(here, capsys):
    mnist(here / "data" / "mnist", [0, 1, 200, 3])
    line = refused(capsys, "train", "mnist", "--data-dir", "data", "--run", "run")
    assert "train-labels-idx1-ubyte gives picture 2 the label 200; the labels are 0 to 9" in line
    assert not (here / "run").exists()


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("file,label\nred/0.png,red\nblue/no.png,blue\n", r"do not exist in pics \(line 3: blue/no.png\)"),
        ("here,there,where\nred/0.png,red,x\n", r"needs a first line file,label or file,label,group"),
        ("file,label\nred/0.png\n", r"line 2 has 1 cells"),
        ("file,label\n", r"names no pictures"),
        ("file,label\n../../secret.png,red\n", r"lies outside"),
        ("file,label\nred/0.png,red\nred/0.png,blue\n", r"the label 'blue', an earlier line 'red'"),
        (None, r"Cannot read the labels .*no such file|Cannot read the labels .*No such file"),
    ],
)
def test_tables_of_labels(here, capsys, table, named):
    paint_folder(here / "pics")
    if table is not None:
        (here / "labels.csv").write_text(table)
    line = refused(capsys, "train", "pics", "--labels", "labels.csv", *OPTIONS)
    assert re.search(named, line), line
    assert not (here / "runs").exists()


def test_classes_that_the_model_does_not_know(here, capsys, trained):
    paint_folder(here / "other", ("blue", "yak"))
    measured = ("evaluate", trained / "run", "--data", "other", "--output", "out")
    line = refused(capsys, *measured, "--unknown-classes", "refuse")
    assert "other has classes that the model does not know (yak); it knows blue, red" in line
    code, out, err = call(capsys, *measured)
    assert code == 0
    assert "other, whole folder: 12 pictures" in out
    assert "other has classes that the model does not know: yak (12). Their 12 pictures are left out" in err


# ---------------------------------------------------------------- sizes and channels
def test_pictures_of_another_size_than_the_model_s(here, capsys):
    mnist(here / "data" / "mnist", list(range(10)) * 4)
    answered(
        capsys,
        *("train", "mnist", "--data-dir", "data", "--model", "resnet8", "--width", "2", "--epochs", "1"),
        *("--run", "run", "--threads", "1"),
    )
    line = refused(capsys, "evaluate", "run", "--data", "digits")
    assert "digits has pictures of 8x8x1, this model takes 28x28x1" in line
    line = refused(capsys, "evaluate", "run", "--data", "cifar10", "--data-dir", "data")
    assert "cifar10" in line
    # A picture in colour is turned grey, brought to size, and answered.
    paint(here / "colour.png", (200, 10, 10), 0)
    assert answered(capsys, "predict", "run", "colour.png").startswith("colour.png   ")


def test_grey_data_under_a_model_of_colours(here, capsys, model_of_colours):
    line = refused(capsys, "evaluate", model_of_colours, "--data", "mnist", "--data-dir", here / "data")
    assert "mnist has pictures of 28x28x1, this model takes 32x32x3" in line


@pytest.fixture
def model_of_colours(here):
    """A model of ten digits in colour, 32x32."""
    from residua import Model, build_model, save_model
    from residua.config import ModelOptions
    from residua.data.preprocessing import Preprocessing

    mnist(here / "data" / "mnist", list(range(10)) * 4)
    network = build_model(ModelOptions(model="resnet8", width=2), channels=3, classes=10)
    variables = network.init(np.random.default_rng(0))
    look = Preprocessing(32, 32, 3, (0.5,) * 3, (0.2,) * 3)
    save_model(here / "m.safetensors", Model("resnet8", network, variables, tuple("0123456789"), look))
    return here / "m.safetensors"


def test_pictures_smaller_than_the_network_can_take(here, capsys):
    paint_folder(here / "pics")
    assert "--size takes at least 8 pixels" in refused(capsys, "train", "pics", "--size", "4")
    assert "--size must be 1 to 4096" in refused(capsys, "train", "pics", "--size", "100000")
    assert "--size is for folders of pictures" in refused(capsys, "train", "digits", "--size", "16")


# ---------------------------------------------------------------- names of data sets, downloads
def test_an_unknown_data_set_has_near_matches(here, capsys):
    line = refused(capsys, "train", "cifer10")
    assert "'cifer10' is neither a data set nor a folder. Did you mean 'cifar10'" in line
    assert "Choose from: " in refused(capsys, "train", "/no/such/place")


def test_offline(here, capsys, monkeypatch):
    def no_connection(*arguments, **options):
        raise OSError("Temporary failure in name resolution")

    monkeypatch.setattr("requests.sessions.Session.request", no_connection)
    line = refused(capsys, "train", "cifar10", "--data-dir", "data", "--run", "run")
    for part in (
        "cifar10 is not on this computer",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "md5:c58f30108f718f92721af3b95e74349a",
        "into data",
        "--data-dir",
    ):
        assert part in line
    assert not (here / "run").exists()


# ---------------------------------------------------------------- models and run folders
def test_models_that_are_none(here, capsys, trained):
    run = trained / "run"
    picture = trained / "pics" / "red" / "0.png"
    checkpoint = max(run.glob("checkpoint-*"))
    (here / "folder").mkdir()
    for verb in (["evaluate"], ["predict"], ["summary"]):
        extra = [picture] if verb == ["predict"] else []
        line = refused(capsys, *verb, checkpoint, *extra)
        assert f"{checkpoint} is a checkpoint, where a model file is needed" in line
        assert "without best.safetensors: give a model file or a run folder" in refused(
            capsys, *verb, "folder", *extra
        )
        assert "not a safetensors file" in refused(capsys, *verb, picture, *extra)
    for verb in ("evaluate", "predict"):
        extra = [picture] if verb == "predict" else []
        line = refused(capsys, verb, "no.safetensors", *extra)
        assert (
            "cannot read no.safetensors: No such file or directory. Name a model file or a run folder."
            in line
        )


def test_a_model_file_in_place_of_a_checkpoint(here, capsys, trained):
    shutil.copytree(trained / "run", "run")
    for path in (here / "run").glob("checkpoint-*"):
        shutil.copyfile(here / "run" / "best.safetensors", path)
    line = refused(capsys, "train", "--resume", "run")
    assert "is a model file, where a checkpoint is needed" in line


def test_a_run_folder_of_a_newer_format(here, capsys, trained):
    shutil.copytree(trained / "run", "run")
    toml = here / "run" / "run.toml"
    toml.write_text(toml.read_text().replace("format = 1", "format = 2"))
    before = contents(here / "run")
    for arguments in (["--resume", "run"], ["--config", "run/run.toml"]):
        line = refused(capsys, "train", *arguments)
        assert "was written in format 2 by a newer residua; this one reads up to format 1" in line
        assert "upgrade residua" in line
    assert contents(here / "run") == before


def test_checkpoints_of_a_newer_format(here, capsys, trained):
    shutil.copytree(trained / "run", "run")
    for path in (here / "run").glob("checkpoint-*"):
        write_tensors(path, "checkpoint", 2, {"x": np.zeros(1, np.float32)}, {})
    line = refused(capsys, "train", "--resume", "run")
    assert "written in format 2 by a newer residua" in line


def test_resume_what_is_no_run_and_with_further_options(here, capsys, trained):
    run, pics = trained / "run", trained / "pics"
    assert "is not a run folder: it holds no run.toml" in refused(capsys, "train", "--resume", pics)
    assert "no is not a run folder" in refused(capsys, "train", "--resume", "no")
    for further in ("--epochs 3", "--engine numba", f"--config {run / 'run.toml'}", "--rate 0.2"):
        line = refused(capsys, "train", "--resume", run, *further.split())
        assert "--resume goes on with a run as it was begun: it takes no other options" in line


def test_a_damaged_run_toml(here, capsys, trained):
    shutil.copytree(trained / "run", "run")
    whole = (here / "run" / "run.toml").read_text()
    for damage, named in (
        (whole[:100], "run.toml"),
        (whole.replace("epochs = 10", 'epochs = "two"'), "--epochs takes a whole number; it was given 'two'"),
        (whole.replace("epochs = 10", "epoch = 10"), "'epoch'. Did you mean 'epochs'?"),
        ("", "format"),
    ):
        (here / "run" / "run.toml").write_text(damage)
        assert named in refused(capsys, "train", "--resume", "run")


def test_a_finished_run_is_resumed_twice_without_harm(here, capsys, trained):
    shutil.copytree(trained / "run", "run")
    kept = ("best.safetensors", "last.safetensors", "log.jsonl", "timing.jsonl", "test.json")
    before = {name: (here / "run" / name).read_bytes() for name in kept}
    first = answered(capsys, "train", "--resume", "run")
    assert answered(capsys, "train", "--resume", "run") == first
    assert "Test accuracy" in first
    assert {name: (here / "run" / name).read_bytes() for name in kept} == before


def test_a_run_folder_in_use_is_left_alone(here, capsys, trained):
    before = contents(trained / "run")
    line = refused(capsys, "train", trained / "pics", "--run", trained / "run", *OPTIONS)
    assert "already holds a run: go on with `residua train --resume" in line
    assert contents(trained / "run") == before
    (here / "file").write_text("mine")
    assert "cannot make the run folder file" in refused(
        capsys, "train", trained / "pics", "--run", "file", *OPTIONS
    )
    assert (here / "file").read_text() == "mine"


# ---------------------------------------------------------------- a full disk
@pytest.fixture
def small_disk(tmp_path):
    """A file system of 600 kB, where this process may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=600k", "residua-test", str(folder)], capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("mounting a small disk needs mount(8)")
    if made.returncode:
        pytest.skip("mounting a small disk needs the rights of root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def begin(here, run):
    paint_folder(here / "pics")
    return ["train", "pics", *OPTIONS, "--run", str(run), "--checkpoint-steps", "1", "--no-final-test"]


def final(run):
    return {name: (run / name).read_bytes() for name in ("best.safetensors", "last.safetensors", "log.jsonl")}


def test_a_disk_that_fills_up_in_the_middle_of_a_run(here, capsys, small_disk, monkeypatch):
    answered(capsys, *begin(here, here / "whole"))
    run, ballast = small_disk / "run", small_disk / "ballast"
    real, count = durable.write_durably, [0]

    def fill_up(*arguments, **options):
        count[0] += 1
        if count[0] == 5:  # in the middle of the first epoch, real bytes take the last of the room
            with ballast.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
                while stream.write(b"x" * 4096):
                    pass
        real(*arguments, **options)

    monkeypatch.setattr("residua.files.tensors.write_durably", fill_up)
    line = refused(capsys, *begin(here, run))
    assert "Cannot write" in line
    assert "No space left on device. Make room on the disk" in line
    assert not list(run.glob(".*partial"))
    ballast.unlink()
    monkeypatch.setattr("residua.files.tensors.write_durably", real)
    answered(capsys, "train", "--resume", run)
    assert final(run) == final(here / "whole")


@pytest.mark.sample(2)
@pytest.mark.parametrize("nth", [1, 2, 3, 5, 9])
def test_any_write_may_fail_and_the_run_goes_on(here, capsys, monkeypatch, nth, curves_after_epochs):
    answered(capsys, *begin(here, here / "whole"))
    run, real, count = here / "run", os.fsync, [0]

    def full(handle):
        count[0] += 1
        if count[0] >= 2 * nth:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(durable.os, "fsync", full)
    line = refused(capsys, *begin(here, run))
    assert "No space left on device" in line
    monkeypatch.setattr(durable.os, "fsync", real)
    if not (run / "run.toml").exists():
        assert not run.exists(), "a run folder without a run is half made"
        return
    if not list(run.glob("checkpoint-*")):
        assert "holds no checkpoint yet: start the run anew" in refused(capsys, "train", "--resume", run)
        return
    answered(capsys, "train", "--resume", run)
    assert final(run) == final(here / "whole")


def test_a_run_folder_that_cannot_be_written_is_taken_back(here, capsys, monkeypatch):
    def full(*arguments, **options):
        raise run_folder.RunError("Cannot write run.toml: No space left on device.")

    paint_folder(here / "pics")
    monkeypatch.setattr(run_folder, "write_durably", full)
    refused(capsys, "train", "pics", *OPTIONS)
    assert not list((here / "runs").iterdir())


# ---------------------------------------------------------------- files without permission
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)


@as_root
def test_files_that_may_not_be_read(here, capsys, trained):
    shutil.copytree(trained / "run", "run")
    shutil.copytree(trained / "pics", "pics")
    (here / "pics" / "red" / "0.png").chmod(0)
    code, out, err = call(capsys, "predict", "run", "pics/red/0.png", "pics/red/1.png")
    assert code == 1
    assert "pics/red/0.png: Permission denied" in err
    assert out.startswith("pics/red/1.png   ")
    (here / "run" / "best.safetensors").chmod(0)
    assert "best.safetensors: Permission denied" in refused(capsys, "evaluate", "run")


def test_permission_denied_in_words(here, capsys, trained, monkeypatch):
    # Root may read everything, so the refusal is played.
    shutil.copytree(trained / "run", "run")
    import builtins

    real = builtins.open

    def guarded(path, *arguments, **options):
        if str(path).endswith("best.safetensors"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(builtins, "open", guarded)
    assert "cannot read run/best.safetensors: Permission denied" in refused(capsys, "evaluate", "run")
