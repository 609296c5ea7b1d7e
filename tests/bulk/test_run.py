"""Pictures answered in parts: the table that `predict` prints, whatever is killed, stopped or given again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny import answered, call, contents, refused
from workers_here import InThisProcess

import residua
from residua.bulk import run as running
from residua.errors import RunError

pytestmark = pytest.mark.usefixtures("quiet_cache")
OPTIONS = ["--engine", "numpy", "--part", "5"]


@pytest.fixture
def here(monkeypatch):
    """No processes but this one."""
    InThisProcess.deaths, InThisProcess.given = {}, []
    monkeypatch.setattr(running, "LocalWorkers", InThisProcess)
    return InThisProcess


@pytest.fixture
def pictures(trained, tmp_path):
    folder = tmp_path / "pictures"
    shutil.copytree(trained / "pics", folder)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return folder


@pytest.fixture
def job(trained, pictures, tmp_path):
    """The arguments of a job."""
    return ["predict", trained / "run", pictures, "--output", tmp_path / "out", *OPTIONS]


def last_line(capsys, *arguments):
    """The line with which a job that goes on is refused after all."""
    code, _, err = call(capsys, *arguments)
    assert code == 2
    assert "Traceback" not in err
    return err.splitlines()[-1]


def numbers(part_files):
    return [part.number for part in part_files]


def test_the_joined_table_is_what_predict_prints(here, job, pictures, trained, tmp_path, capsys):
    code, out, _ = call(capsys, *job)
    assert code == 1  # one picture cannot be read
    assert "25 pictures" in out
    assert "1 of them cannot be read" in out
    _, printed, _ = call(capsys, "predict", trained / "run", pictures, "--csv", "--engine", "numpy")
    assert (tmp_path / "out" / "predictions.csv").read_text() == printed
    assert numbers(here.given) == [0, 1, 2, 3, 4]


def test_json_lines_and_parquet_hold_the_same(here, job, tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    call(capsys, *job, "--table", "jsonl", "--reject", "0.9")
    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    shutil.rmtree(tmp_path / "out")
    call(capsys, *job, "--table", "parquet", "--reject", "0.9")
    rows = parquet.read_table(tmp_path / "out" / "predictions.parquet").to_pylist()
    assert len(rows) == len(lines) == 25
    for row, line in zip(rows, lines, strict=True):
        assert row["file"] == line["file"]
        assert row["class"] == line.get("class")
        assert row["error"] == line.get("error")
        assert row["sure"] == line.get("sure", False)
        assert row["probability"] == pytest.approx(line.get("probability"))


def test_what_is_done_is_kept_and_what_is_damaged_is_answered_again(here, job, tmp_path, capsys):
    call(capsys, *job)
    whole = contents(tmp_path / "out")
    here.given.clear()
    _, _, err = call(capsys, *job)
    assert "Going on" in err
    assert here.given == []
    (tmp_path / "out" / "part-00002.json").unlink()
    rows = tmp_path / "out" / "part-00004.csv"
    rows.write_bytes(rows.read_bytes().replace(b"pictures", b"PICTURES"))
    code, _, err = call(capsys, *job)
    assert code == 1
    assert "Part 4 is not what was written" in err
    assert numbers(here.given) == [2, 4]
    assert contents(tmp_path / "out") == whole


def test_pictures_that_came_later_are_not_in_the_job(here, job, pictures, tmp_path, capsys):
    call(capsys, *job)
    whole = contents(tmp_path / "out")
    shutil.copy(pictures / "red" / "0.png", pictures / "another.png")
    call(capsys, *job)
    assert contents(tmp_path / "out") == whole


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--top", "1"], "--top 3, not 1"),
        (["--part", "6"], "--part 5, not 6"),
        (["--table", "jsonl"], "--table csv, not jsonl"),
        (["--views", "flips"], "--views one, not flips"),
    ],
)
def test_a_job_that_was_begun_asks_nothing_else(here, job, tmp_path, capsys, more, words):
    call(capsys, *job)
    whole = contents(tmp_path / "out")
    first = job[:-2] if "--part" in more else job
    line = refused(capsys, *first, *more)
    assert words in line
    assert "another folder with --output" in line
    assert contents(tmp_path / "out") == whole


def test_another_model_other_pictures_another_residua(
    here, job, members, pictures, tmp_path, capsys, monkeypatch
):
    call(capsys, *job)
    assert "another model" in refused(capsys, "predict", members / "one", *job[2:])
    assert "other pictures" in refused(capsys, *job[:2], pictures / "red", *job[3:])
    monkeypatch.setattr(running, "package_version", lambda name: "9.9")
    assert "begun with residua" in refused(capsys, *job)


def test_a_picture_that_has_changed_is_named(here, job, pictures, tmp_path, capsys):
    call(capsys, *job)
    (tmp_path / "out" / "part-00001.json").unlink()
    changed = pictures / "blue" / "3.png"
    changed.write_bytes(changed.read_bytes() + b" ")
    assert f"{changed} is not what it was when the job began" in last_line(capsys, *job)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("manifest.json", b"{", "manifest.json is damaged"),
        ("manifest.json", b'{"format": 99}', "newer residua"),
        ("pictures.jsonl", b"", "pictures.jsonl is not what manifest.json says"),
    ],
)
def test_a_damaged_folder_is_told(here, job, tmp_path, capsys, name, content, words):
    call(capsys, *job)
    (tmp_path / "out" / "part-00001.json").unlink()
    (tmp_path / "out" / name).write_bytes(content)
    assert words in last_line(capsys, *job)


def test_too_many_unreadable_pictures_end_the_job_and_lose_nothing(here, job, tmp_path, capsys):
    line = refused(capsys, *job, "--max-failures", "0")
    assert "1 of 25 pictures cannot be read, more than --max-failures allows" in line
    done = len(list((tmp_path / "out").glob("part-*.csv")))
    assert done >= 1
    assert call(capsys, *job, "--max-failures", "0.5")[0] == 1
    assert len(list((tmp_path / "out").glob("part-*.csv"))) == 5


def test_a_part_whose_worker_ends_is_answered_again_carefully_at_last(here, job, tmp_path, capsys):
    call(capsys, *job)
    whole = contents(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    here.deaths, here.given = {3: 2}, []
    _, _, err = call(capsys, *job)
    assert err.count("A worker ended with part 3 (pictures 15 to 19)") == 2
    assert [part.careful for part in here.given if part.number == 3] == [False, False, True]
    assert contents(tmp_path / "out") == whole


def test_a_part_that_ends_every_worker_ends_the_job(here, job, tmp_path, capsys):
    here.deaths = {1: 99}
    code, _, err = call(capsys, *job)
    assert code == 2
    assert "9 workers ended with part 1 (pictures 5 to 9)" in err.splitlines()[-1]
    assert (tmp_path / "out" / "part-00000.csv").exists()


def test_options_of_parts_take_a_folder_and_print_nothing(trained, pictures, capsys, tmp_path):
    assert "name it with --output" in refused(capsys, "predict", trained / "run", pictures, "--workers", "2")
    line = refused(capsys, "predict", trained / "run", pictures, "--output", tmp_path / "out", "--json")
    assert "choose by --table" in line
    assert not (tmp_path / "out").exists()


def test_in_python_as_on_the_command_line(here, trained, pictures, tmp_path):
    outcome = residua.predict_in_parts(
        trained / "run", pictures, tmp_path / "out", part=10, engine="numpy", say=lambda line: None
    )
    assert (outcome.pictures, outcome.failed, outcome.answered) == (25, 1, 25)
    assert Path(outcome.table).name == "predictions.csv"


def test_a_full_disk_is_told_and_the_parts_that_are_done_stay(here, job, tmp_path, capsys, monkeypatch):
    write, written = running.Folder.write_part, []

    def full(self, manifest, number, data, about):
        if number == 2:
            raise RunError("Cannot write part-00002.csv: No space left on device. Make room on the disk.")
        written.append(number)
        write(self, manifest, number, data, about)

    monkeypatch.setattr(running.Folder, "write_part", full)
    assert "Make room on the disk" in refused(capsys, *job)
    assert written == [0, 1]
    monkeypatch.setattr(running.Folder, "write_part", write)
    assert call(capsys, *job)[0] == 1


def test_two_jobs_at_once_in_one_folder(job, tmp_path, capsys, trained):
    import threading

    from residua.files.one_writer import one_writer

    begun, end = threading.Event(), threading.Event()

    def hold():
        with one_writer(tmp_path / "out", "wait"):
            begun.set()
            end.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    begun.wait(30)
    try:
        assert "is being written by" in refused(capsys, *job)
    finally:
        end.set()
        other.join()
    assert answered(capsys, "predict", trained / "run", trained / "pics", "--engine", "numpy")
