"""Who has a trial: one process at a time, found dead by start time here, by its silence elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace

import pytest

from residua.sweeps import owners
from residua.sweeps.owners import (
    BEAT_SECONDS,
    SILENT_BEATS,
    Heart,
    Watch,
    last_owner,
    lives,
    this_process,
    turns_without_progress,
)


@pytest.fixture
def stem(tmp_path):
    return tmp_path / "0003"


def taken_by(stem, owner, number=1):
    stem.with_name(f"{stem.name}-{number:04d}.json").write_text(json.dumps(asdict(owner)))


def test_a_trial_is_had_by_one(stem):
    watch = Watch()
    turn = watch.take(stem, "checkpoint-7")
    assert turn is not None
    assert watch.take(stem, "") is None
    assert Watch().take(stem, "") is None
    assert last_owner(stem) == this_process("checkpoint-7")
    turn.end()  # an exception went through, and the same process comes again
    again = watch.take(stem, "")
    assert (again.number, turn.lost(), again.lost()) == (2, True, False)
    again.end()


def test_a_process_that_lives_on_leaves_its_trial_to_others(stem):
    turn = Watch().take(stem, "")
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as other:
        alive = replace(this_process(), process=other.pid, start=owners._start(other.pid))
        taken_by(stem, alive)
        assert Watch().take(stem, "") is None
        turn.end()  # as its own process would, after Ctrl-C in a notebook
        again = Watch().take(stem, "")
        other.kill()
    assert again.number == 2
    turn.end()  # too late: it is another's
    assert Watch().take(stem, "") is None
    again.end()


def test_of_many_at_once_one_is_first(stem):
    found, begin = [], threading.Barrier(8)

    def take():
        watch = Watch()
        begin.wait()
        found.append(watch.take(stem, ""))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [turn is None for turn in found].count(False) == 1
    next(turn for turn in found if turn).end()


def test_a_process_that_is_gone_loses_its_trial_at_once(stem):
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        alive = replace(this_process(), process=process.pid, start=owners._start(process.pid))
        taken_by(stem, alive)
        assert lives(alive) is True
        assert Watch().take(stem, "") is None
        # The number is taken again by another program: it began at another time.
        assert lives(replace(alive, start="1")) is False
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet waited for
        assert lives(alive) is False
        turn = Watch().take(stem, "")
    assert turn.number == 2
    turn.end()


def test_a_worker_elsewhere_is_dead_once_its_heart_is_still(stem):
    now = [0.0]
    watch = Watch(clock=lambda: now[0])
    elsewhere = replace(this_process(), host="other", space="other boot")
    taken_by(stem, elsewhere)
    assert lives(elsewhere) is None
    beat = stem.with_suffix(".beat")
    for count in range(30):  # it lives, however wrong its clock
        beat.write_text(f"1 {count}\n")
        assert watch.take(stem, "") is None
        now[0] += BEAT_SECONDS
    now[0] += (SILENT_BEATS - 2) * BEAT_SECONDS
    assert watch.take(stem, "") is None
    now[0] += 3 * BEAT_SECONDS
    turn = watch.take(stem, "")
    assert turn.number == 2
    turn.end()


def test_an_owner_that_cannot_be_read_counts_as_one_elsewhere(stem):
    stem.with_name("0003-0001.json").write_text("{")
    assert last_owner(stem) is None
    assert Watch().take(stem, "") is None


def test_the_heart_beats_and_tells_of_loss(stem, monkeypatch):
    monkeypatch.setattr(owners, "BEAT_SECONDS", 0)
    turn = Watch().take(stem, "")
    lost = threading.Event()
    with Heart(turn, lost.set):
        taken_by(stem, this_process(), number=2)
        assert lost.wait(10)
    assert stem.with_suffix(".beat").read_text().startswith("1 ")
    turn.end()


def test_the_heart_tells_when_whoever_began_it_is_gone(stem, monkeypatch):
    monkeypatch.setattr(owners, "LOOK_SECONDS", 0.01)
    gone = []
    turn = Watch().take(stem, "")
    with Heart(turn, lambda: gone.append(True), parent=-1) as heart:
        heart._thread.join()
    assert gone == [True]
    turn.end()


def test_turns_that_came_no_further_are_counted(stem):
    for number, reached in enumerate(["", "checkpoint-1", "checkpoint-2", "checkpoint-2", "checkpoint-2"], 1):
        taken_by(stem, this_process(reached), number)
    assert turns_without_progress(stem) == 3
