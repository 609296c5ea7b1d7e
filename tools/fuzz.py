"""Readers under mutated files: no exception but residua's own, nothing slow or large, no code run, no crash.

    python tools/fuzz.py --seconds 3600 --jobs 1 --seed 0     an hour on one core
    python tools/fuzz.py --mutations 20000 --kind png pth     so many, of some kinds only
    python tools/fuzz.py --seed 0 --again "pth 4711"          one of them, with its traceback

Small good files of each kind are made and spoilt in many ways; each is read as residua reads it, and what
was read is used. A process of its own does the work: where it dies or hangs, the file is kept and the next
one goes on. What is found goes to --output, one file and one line of findings.jsonl each; a table is printed
at the end and, while it runs, every minute.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "src"), str(ROOT / "tests" / "helpers")]
HANGS_AFTER = 30.0  # seconds on the wall, of which most must have been computed
COLUMNS = ("mutations", "loaded", "refused", "warned")


class Job:
    """One worker after the other, each going on where the one before ended."""

    def __init__(self, options: argparse.Namespace, index: int, end: float) -> None:
        self.options, self.index, self.end, self.next = options, index, end, options.start + index
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self.progress = self.folder.with_name(self.folder.name + ".progress")
        self.progress.write_bytes(struct.pack("<qdq", -1, 0.0, options.start + options.mutations))
        self.errors = self.folder.with_name(self.folder.name + ".errors")
        self.done = False
        self.begin()

    def begin(self) -> None:
        """Start a worker at the next number."""
        environment = {name: value for name, value in os.environ.items() if name != "RESIDUA_DATA"}
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment |= {
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "MPLBACKEND": "agg",
        }
        arguments = [self.folder, self.progress, self.options.seed, self.next, self.options.jobs, self.end]
        code = (
            f"import sys; sys.path[:0] = {sys.path[:3]!r}\n"
            "from fuzzing.worker import work; from pathlib import Path; a = sys.argv[1:]\n"
            "work(Path(a[0]), Path(a[1]), int(a[2]), int(a[3]), int(a[4]), a[6:], float(a[5]))\n"
        )
        command = [sys.executable, "-X", "faulthandler", "-c", code, *map(str, arguments), *self.options.kind]
        with open(self.errors, "wb") as errors:  # libraries in C write there; a pipe would fill up
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self.begun = time.time()

    def current(self) -> tuple[int, float]:
        """The number that is worked on, and since when; -1 before the first."""
        number, since, _ = struct.unpack("<qdq", self.progress.read_bytes())
        return number, since

    def hangs(self) -> bool:
        """Whether one file has been worked on for long, and computing most of the time."""
        number, since = self.current()
        return number >= 0 and since > self.begun and time.time() - since > HANGS_AFTER

    def close(self) -> None:
        """Remove what it made."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.progress.unlink(missing_ok=True)
        self.errors.unlink(missing_ok=True)


class Report:
    """Counts by kind, and findings by what they say."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.counts = folder, Counter[str]()
        self.slowest: dict[str, float] = defaultdict(float)
        self.findings: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.warned: dict[tuple[str, str], list[int]] = defaultdict(list)
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, entry: dict[str, Any]) -> None:
        """One line of a worker's."""
        self.counts.update(entry.get("counts", {}))
        for kind, seconds in entry.get("slowest", {}).items():
            self.slowest[kind] = max(self.slowest[kind], seconds)
        if entry.get("warning"):
            self.warned[entry["kind"], entry["warning"][:80]].append(entry["number"])
        if not entry.get("finding"):
            return
        self.counts[f"{entry['kind']}|found"] += 1
        place = entry["details"].strip().splitlines()
        where = next(
            (line.strip() for line in reversed(place) if line.startswith("  File") and "residua" in line), ""
        )
        numbers = self.findings[entry["kind"], f"{entry['finding'][:70]} {where}"]
        numbers.append(entry["number"])
        if len(numbers) <= 3:
            name = f"{entry['kind'].replace(' ', '-')}-{entry['number']}"
            (self.folder / name).write_bytes(bytes.fromhex(entry["file"]))
            print(f"found: {entry['kind']} {entry['number']}: {entry['finding']} {where}", flush=True)
            with open(self.folder / "findings.jsonl", "a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry | {"file": name}) + "\n")

    def table(self, seconds: float) -> str:
        """All kinds, and every finding once."""
        kinds = sorted({name.split("|")[0] for name in self.counts})
        rows = [("kind", *COLUMNS, "found", "slowest s")]
        for kind in kinds:
            numbers = [self.counts[f"{kind}|{column}"] for column in (*COLUMNS, "found")]
            rows.append((kind, *(f"{number:,}" for number in numbers), f"{self.slowest[kind]:.3f}"))
        total = [sum(self.counts[f"{kind}|{column}"] for kind in kinds) for column in (*COLUMNS, "found")]
        rows.append(
            ("all", *(f"{number:,}" for number in total), f"{max(self.slowest.values(), default=0):.3f}")
        )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
            for row in rows
        ]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        lines.append(
            f"{total[0]:,} mutations in {seconds:.0f} s, {total[0] / max(seconds, 1e-9):.0f} a second"
        )
        for title, table in (("FOUND", self.findings), ("warned", self.warned)):
            for (kind, text), numbers in sorted(table.items()):
                lines.append(
                    f"{title} {len(numbers)} x {kind}: {text} (numbers {', '.join(map(str, numbers[:3]))})"
                )
        return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """0 where nothing was found, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--mutations", type=int, default=10**12)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="the first mutation's number")
    parser.add_argument("--kind", nargs="*", default=[])
    parser.add_argument("--output", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--again", metavar="'KIND NUMBER'")
    options = parser.parse_args(arguments)
    if options.again:
        return again(options)
    begun = time.time()
    report, told = Report(options.output), begun
    jobs = [Job(options, index, begun + options.seconds) for index in range(options.jobs)]
    try:
        with selectors.DefaultSelector() as selector:
            for job in jobs:
                selector.register(job.process.stdout, selectors.EVENT_READ, job)  # type: ignore[arg-type]
            while not all(job.done for job in jobs):
                for key, _ in selector.select(1.0):
                    hear(key.data, report, selector)
                for job in jobs:
                    if not job.done and job.hangs():
                        job.process.kill()
                if time.time() - told > 60:
                    told = time.time()
                    print(report.table(told - begun), flush=True)
    finally:
        for job in jobs:
            job.close()
    print(report.table(time.time() - begun), flush=True)
    return 1 if report.findings else 0


def hear(job: Job, report: Report, selector: selectors.BaseSelector) -> None:
    """One line of a worker, or its end, after which another goes on."""
    assert job.process.stdout is not None
    if line := job.process.stdout.readline():
        report.take(json.loads(line))
        return
    code = job.process.wait()
    errors = job.errors.read_bytes()[-3000:].decode(errors="replace")
    selector.unregister(job.process.stdout)
    if code == 0:
        job.done = True
        return
    number, _ = job.current()
    if number < job.next:
        job.done = True
        print(f"the worker does not start: {errors[-2000:]}", flush=True)
        report.findings[
            "the worker", errors.strip().splitlines()[-1] if errors.strip() else str(code)
        ].append(-1)
        return
    files = sorted(job.folder.glob("current*"), key=lambda path: path.stat().st_mtime)
    data = files[-1].read_bytes() if files else b""
    what = "hangs" if code == -9 and job.hangs() else f"the process ends ({code})"
    kind = f"the file *{files[-1].suffix}" if files else "?"
    report.take(
        {"kind": kind, "number": number, "finding": what, "details": errors[-3000:], "file": data.hex()}
    )
    job.next = number + job.options.jobs
    job.begin()
    selector.register(job.process.stdout, selectors.EVENT_READ, job)


def again(options: argparse.Namespace) -> int:
    """One mutation in this process, with all that is known of it."""
    from fuzzing.kinds import make_kinds
    from fuzzing.uses import warm
    from fuzzing.watch import Watch
    from fuzzing.worker import run_one

    name, _, number = options.again.rpartition(" ")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        kinds = make_kinds(Path(folder))
        warm(Path(folder))
        outcome = run_one(kinds[name], Path(folder), options.seed, int(number), Watch(Path(folder)))
        os.chdir(ROOT)
    print(outcome.details or outcome.refusal or "loaded", outcome.finding, *outcome.warnings, sep="\n")
    return 1 if outcome.finding else 0


if __name__ == "__main__":
    sys.exit(main())
