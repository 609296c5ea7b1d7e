"""A process that works through mutations by number, and tells what it found, one JSON line a piece."""

from __future__ import annotations

import json
import mmap
import random
import resource
import struct
import time
from collections import Counter
from pathlib import Path
from typing import Any

from fuzzing.kinds import Kind, make_kinds
from fuzzing.uses import warm
from fuzzing.watch import Watch
from residua.errors import ResiduaError

ADDRESS_SPACE = 6 * 2**30
CURRENT = struct.Struct("<qd")  # the number that is worked on, and since when


def order_of(kinds: dict[str, Kind], wanted: list[str]) -> list[Kind]:
    """The kinds in turn, each as often as its share says, spread evenly."""
    chosen = [kind for kind in kinds.values() if not wanted or kind.name in wanted]
    places = [((place + 0.5) / kind.share, kind) for kind in chosen for place in range(kind.share)]
    return [kind for _, kind in sorted(places, key=lambda entry: entry[0])]


def work(
    folder: Path, progress: Path, seed: int, start: int, step: int, wanted: list[str], end: float
) -> None:
    """Mutations start, start + step, ... until the wall clock says `end`, or the counter is at its last."""
    kinds = make_kinds(folder)
    order = order_of(kinds, wanted)
    warm(folder)
    for kind in order:  # everything is imported once before anybody watches
        for data in kind.seeds:
            _try(kind, folder, data)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    watch = Watch(folder)
    counts: Counter[str] = Counter()
    slowest: dict[str, float] = {}
    number, told = start, time.monotonic()
    with open(progress, "r+b") as stream, mmap.mmap(stream.fileno(), CURRENT.size + 8) as shared:
        while time.time() < end:
            last = struct.unpack_from("<q", shared, CURRENT.size)[0]
            if number >= last:
                break
            kind = order[number % len(order)]
            CURRENT.pack_into(shared, 0, number, time.time())
            outcome = run_one(kind, folder, seed, number, watch)
            counts[f"{kind.name}|mutations"] += 1
            counts[f"{kind.name}|loaded"] += outcome.loaded
            counts[f"{kind.name}|refused"] += bool(outcome.refusal)
            counts[f"{kind.name}|warned"] += bool(outcome.warnings)
            slowest[kind.name] = max(slowest.get(kind.name, 0.0), outcome.seconds)
            if outcome.finding or outcome.warnings:
                _say({"kind": kind.name, "number": number, "finding": outcome.finding, "details": outcome.details,
                      "warning": "" if outcome.finding else outcome.warnings[0][:200],
                      "file": kind.mutate(seed, number)[0].hex() if outcome.finding else ""})  # fmt: skip
            number += step
            if time.monotonic() - told > 1:
                _say({"counts": counts, "slowest": slowest})
                counts, told = Counter(), time.monotonic()
    _say({"counts": counts, "slowest": slowest, "end": number})


def run_one(kind: Kind, folder: Path, seed: int, number: int, watch: Watch) -> Any:
    """Write the mutation of that number, and watch what it does to its reader."""
    data, rng = kind.mutate(seed, number)
    path = folder / f"current{kind.suffix}"
    path.write_bytes(data)
    state = rng.getstate()

    def use() -> None:
        rng.setstate(state)
        kind.use(path, rng)

    return watch.call(use)


def _try(kind: Kind, folder: Path, data: bytes) -> None:
    """Use a good file in four ways: at least one must take it, or its mutations would show nothing."""
    path, refusals = folder / f"current{kind.suffix}", []
    for attempt in range(4):
        path.write_bytes(data)
        try:
            kind.use(path, random.Random(attempt))
        except ResiduaError as error:
            refusals.append(error)
    if len(refusals) == 4:
        raise SystemExit(f"a good file of kind {kind.name} is refused: {refusals[0]}")


def _say(entry: dict[str, Any]) -> None:
    print(json.dumps(entry), flush=True)
