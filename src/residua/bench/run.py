"""Running the cases: figures for people as they come, and for programs in a JSON file."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from threadpoolctl import threadpool_limits

from residua.bench import PEERS, chosen_cases, chosen_peers
from residua.bench.cases import MEASURES
from residua.bench.harness import Harness
from residua.bench.results import line
from residua.bench.table import describe_machine
from residua.bench.timing import Limits, sgemm_peak
from residua.config import BenchConfig
from residua.config.options import check
from residua.engines import open_engine
from residua.files.durable import write_durably
from residua.files.output import make_parent, output_file
from residua.training.environment import machine_facts, package_versions

FORMAT = 1  # of the JSON
PACKAGES = ("residua", "numpy", "numba", "llvmlite", "pillow", *PEERS)
# What makes code for another processor than this one, on either side.
ENVIRONMENT = (
    "RESIDUA_VECTOR_WIDTH",
    "RESIDUA_VECTOR_REGISTERS",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
)
RACE = "inference"  # the case in which all peers take part
BUSY = 0.3  # other programs' load for each core, above which figures wander

Say = Callable[[str], None]


def run_bench(config: BenchConfig, say: Say = print) -> dict[str, Any]:
    """Measure the cases; what the JSON file holds, written anew after every line.

    Raises ConfigError for an unknown case or a file that cannot be written, before anything is measured.
    """
    config = check(config)
    names, peers = chosen_cases(config.cases), chosen_peers(config.peers)
    path = None
    if config.json is not None:
        path = output_file(config.json, Path("bench.json"), option="--json")
    limits = Limits(
        config.rounds, config.seconds, time.process_time if config.processor_time else time.perf_counter
    )
    engine = open_engine(config.engine, threads=config.threads, work=1e18)
    installed = tuple(name for name in peers if importlib.util.find_spec(name) is not None)
    peer = _open_peer(engine.threads) if "torch" in installed else None
    harness = Harness(engine, limits, peer, installed, config.engine)
    figures = _about(harness) | {"cases": list(names), "results": []}
    missing = [name for name in peers if name not in installed and (name == "torch" or RACE in names)]
    for text in _header(figures, missing):
        say(text)
    with threadpool_limits(engine.threads, user_api="blas"):
        for name in names:
            for result in MEASURES[name](harness):
                row = result.row()
                figures["results"].append(row)
                figures["sgemm_peak_gflops"] = round(sgemm_peak(engine.threads) / 1e9)
                figures["load_after"] = _load()
                say(line(row))
                if path is not None:
                    write_durably(make_parent(path), (json.dumps(figures, indent=1) + "\n").encode())
    return figures


def _open_peer(threads: int) -> ModuleType:
    """PyTorch's side, told how many threads to use."""
    peer = importlib.import_module("residua.bench.pytorch")
    peer.use_threads(threads)
    return peer


def _about(harness: Harness) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine_facts(),
        "versions": package_versions(PACKAGES),
        "engine": harness.engine.name,
        "threads": harness.threads,
        "rounds": harness.limits.rounds,
        "seconds": harness.limits.seconds,
        "clock": "processor time" if harness.limits.clock is time.process_time else "wall time",
        "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        "load_before": _load(),
    }


def _load() -> float | None:
    """Programs that wanted a core in the last minute, on average; None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _header(figures: dict[str, Any], missing: Sequence[str]) -> list[str]:
    lines = [
        describe_machine(figures),
        f"Medians of up to {figures['rounds']} rounds (10th to 90th percentile)",
    ]
    for name in missing:
        alone = "residua's times alone" if name == "torch" else "it takes no part"
        lines.append(f"{PEERS[name]} is not installed (pip install 'residua[peer]'): {alone}")
    load = figures["load_before"]
    if load is not None and load > BUSY * figures["machine"]["cores"]:
        lines.append(f"Other programs want this machine too (load {load:g}): the figures will wander")
    return lines
