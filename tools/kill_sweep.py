"""A sweep whose workers are killed at random, held against one that was left in peace.

    python tools/kill_sweep.py --kills 20 --workers 2 --sampler grid
    python tools/kill_sweep.py --kills 20 --workers 1 --sampler tpe

Both sweeps train tiny networks on scikit-learn's digits. Of the disturbed one a process is killed (SIGKILL)
every second or so: a worker that trains, or the one that watches them, which is then begun again. In the end
both must hold the same trials: values, accuracies after every epoch, how they ended, and the bytes of models
and logs.
What several workers at once promise is a grid, without pruning; TPE promises it with one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from residua.files.checksums import file_sha256
from residua.sweeps.owners import lives, read_owner

FILE = """
[sweep]
sampler = "{sampler}"
{search}
[train]
data = "digits"
model = "resnet8"
epochs = {epochs}
engine = "numpy"
threads = 1
checkpoint-steps = 5

[space]
rate = {rate}
width = {{ low = 3, high = 6 }}
"""
SEARCH = {"grid": "", "tpe": 'trials = 14\npruner = "hyperband"\n'}
RATE = {"grid": "[0.2, 0.05, 0.0125]", "tpe": "{ low = 0.005, high = 0.5, log = true }"}


def write_file(folder: Path, sampler: str, epochs: int) -> Path:
    """The sweep's file."""
    path = folder / f"{sampler}.toml"
    path.write_text(
        FILE.format(sampler=sampler, search=SEARCH[sampler], rate=RATE[sampler], epochs=epochs),
        encoding="utf-8",
    )
    return path


def begin(file: Path, output: Path, workers: int) -> subprocess.Popen[bytes]:
    """A sweep as a process of its own."""
    command = [sys.executable, "-m", "residua", "sweep", str(file), "--output", str(output)]
    with output.with_suffix(".out").open("ab") as out:
        return subprocess.Popen([*command, "--workers", str(workers)], stdout=out, stderr=subprocess.STDOUT)


def children(process: int) -> list[int]:
    """The processes that a process began and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == process and words[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


def holders(output: Path) -> set[int]:
    """The processes that have a trial now."""
    newest = {path.name[:4]: path for path in sorted((output / "workers").glob("*.json"))}
    owners = [owner for path in newest.values() if (owner := read_owner(path)) is not None]
    return {owner.process for owner in owners if lives(owner)}


def disturb(file: Path, output: Path, workers: int, kills: int, draw: random.Random) -> list[str]:
    """Run the sweep to its end while processes of it are killed; what was killed. Raises SystemExit."""
    killed: list[str] = []
    process = begin(file, output, workers)
    while len(killed) < kills and process.poll() is None:
        time.sleep(draw.uniform(0.2, 1.5))
        training, below = holders(output), children(process.pid)
        if not training and not below:
            continue  # begins: nothing would be lost
        target = process.pid if draw.random() < 0.2 else draw.choice(sorted(training) or below)
        if process.poll() is not None:
            break
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed.append(
            "worker" if target in training else "watcher" if target == process.pid else "idle worker"
        )
        if target == process.pid:
            process.wait()
            process = begin(file, output, workers)
    if process.wait() != 0:
        raise SystemExit(f"the sweep ended with code {process.returncode}: see {output.with_suffix('.out')}")
    return killed


def facts(output: Path) -> list[dict[str, Any]]:
    """All that must be the same of each trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    backend = optuna.storages.journal.JournalFileBackend(str(output / "journal.log"))
    study = optuna.load_study(study_name="sweep", storage=optuna.storages.JournalStorage(backend))
    trials = []
    for trial in study.get_trials(deepcopy=False):
        run = output / "trials" / f"{trial.number:04d}"
        names = ("best.safetensors", "last.safetensors", "log.jsonl")
        trials.append(
            {
                "number": trial.number,
                "state": trial.state.name,
                "values": trial.params,
                "accuracy": trial.value,
                "epochs": trial.intermediate_values,
                "files": {name: file_sha256(run / name) for name in names},
            }
        )
    return trials


def compare(folder: Path, sampler: str, workers: int, kills: int, epochs: int, seed: int) -> dict[str, Any]:
    """Both sweeps; what came of them. Raises SystemExit where a trial differs."""
    file = write_file(folder, sampler, epochs)
    peace = begin(file, folder / "peace", 1)
    if peace.wait() != 0:
        raise SystemExit(f"the undisturbed sweep failed: see {folder / 'peace.out'}")
    began = time.perf_counter()
    killed = disturb(file, folder / "killed", workers, kills, random.Random(seed))
    seconds = time.perf_counter() - began
    expected, found = facts(folder / "peace"), facts(folder / "killed")
    different = [one["number"] for one, other in zip(expected, found, strict=True) if one != other]
    if different:
        number = different[0]
        raise SystemExit(f"trials {different} differ; of the first:\n{expected[number]}\n{found[number]}")
    results = [json.loads((folder / name / "results.json").read_text()) for name in ("peace", "killed")]
    if results[0]["best"] != results[1]["best"] or results[0]["test"] != results[1]["test"]:
        raise SystemExit("the winners differ")
    turns = sorted((folder / "killed" / "workers").glob("*.json"))
    return {
        "sampler": sampler,
        "workers": workers,
        "killed": {kind: killed.count(kind) for kind in sorted(set(killed))},
        "trials": len(found),
        "taken over": len(turns) - len(found),
        "states": {state: [t["state"] for t in found].count(state) for state in {t["state"] for t in found}},
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Compare, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sampler", choices=("grid", "tpe"), default="grid")
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for both sweeps, to look at")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill-sweep-") as temporary:
        folder = a.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(json.dumps(compare(folder, a.sampler, a.workers, a.kills, a.epochs, a.seed), indent=1))


if __name__ == "__main__":
    main()
