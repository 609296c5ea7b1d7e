"""A slice of tools/fuzz.py: mutated files of every kind are read, or end in residua's own errors."""

from __future__ import annotations

import os
import random
import sys
import time
import warnings
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
sys.path.append(str(TOOLS))

from fuzzing.kinds import make_kinds  # noqa: E402

from residua.errors import ResiduaError  # noqa: E402

SECONDS = 1.0  # for the drawn mutations of all kinds together
FIXED = 3  # mutations of each kind that are the same in every run


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def kinds(place):
    return make_kinds(place)


def use(kind, place, seed, number):
    data, rng = kind.mutate(seed, number)
    path = place / f"current{kind.suffix}"
    path.write_bytes(data)
    refusal = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind.use(path, rng)
    except ResiduaError as error:
        refusal = str(error)
    except Exception as error:
        again = f'python tools/fuzz.py --seed {seed} --again "{kind.name} {number}"'
        raise AssertionError(f"{type(error).__name__}: {error}; again: {again}") from error
    assert "\n" not in refusal, (kind.name, number)
    assert len(refusal) <= 1500, (kind.name, number)


def test_good_files_are_read(kinds, place):
    """Else their mutations would show nothing."""
    for kind in kinds.values():
        path = place / f"current{kind.suffix}"
        path.write_bytes(kind.seeds[0])
        kind.use(path, random.Random(5))


def test_mutated_files_of_every_kind_are_read_or_refused(kinds, place):
    for kind in kinds.values():
        for number in range(FIXED):
            use(kind, place, 0, number)
    seed, end, number = int(os.environ["RESIDUA_TEST_SEED"]), time.process_time() + SECONDS, 0
    while time.process_time() < end:
        for kind in kinds.values():
            use(kind, place, seed, number)
        number += 1


# What campaigns found, by seed, kind and number: mended since.
FOUND = [(0, "npy", 154), (0, "shards", 2133), (0, "mat", 4816), (3, "cifar batch", 2466), (2, "log", 1315)]


@pytest.mark.parametrize(("seed", "name", "number"), FOUND)
def test_what_campaigns_found_stays_mended(kinds, place, seed, name, number):
    use(kinds[name], place, seed, number)


def test_a_mutation_is_the_same_whenever_it_is_asked_for(kinds):
    for kind in kinds.values():
        assert kind.mutate(0, 1)[0] == kind.mutate(0, 1)[0]


def test_the_watch_sees_what_it_should(tmp_path):
    """In a process of its own: an audit hook stays for ever."""
    import subprocess

    program = """
import os, sys
from pathlib import Path
from fuzzing.watch import Watch
from residua.errors import DataError
folder = Path(sys.argv[1])
watch = Watch(folder / "inside")
def refuse(): raise DataError("no")
def spin():
    n = 0
    while n < 4_000_000: n += 1
    raise DataError("slow")
calls = [refuse, lambda: 1 / 0, lambda: os.system("true"), lambda: open(folder / "outside", "w").close(),
         lambda: bytearray(b"x" * 10**8) and None]
print([watch.call(call).finding.split(":")[0] for call in calls])
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TOOLS), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().startswith(
        "['', 'ZeroDivisionError', 'runs or writes', 'runs or writes', 'takes"
    ), done.stdout
