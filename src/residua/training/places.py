"""Where the files are that a run's options name: seen from the run folder, as they were typed, and absolute.

run.toml keeps the options as they were typed, and beside the machine's facts where that led to. So a run is
found its data again from another directory, after it moved with them, and after either moved alone.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from residua.config import DataOptions, TrainConfig
from residua.config.options import file_options, toml_text
from residua.data import DATASETS
from residua.data.packed.opening import is_packed
from residua.data.sources.locations import data_folders
from residua.data.sources.object_stores import is_address
from residua.errors import DataError, RunError
from residua.files.durable import write_durably

TABLE = "places"  # within [machine], which says where a run took place


@dataclass(frozen=True)
class Places:
    """What a run folder knows of its files: {option: (path from the run folder, absolute path)}."""

    run: Path
    table: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, option: str, typed: str) -> list[str]:
        """The paths that may be meant, the likeliest first, each once."""
        near, absolute = self.table.get(option, (None, None))
        paths = [] if near is None else [os.path.normpath(self.run.resolve() / near)]
        paths += [typed] if absolute is None else [typed, absolute]
        # What messages name is what was typed, wherever that leads to the same.
        spelt = {_real(path): path for path in (*reversed(paths), typed)}
        return list({_real(path): spelt[_real(path)] for path in paths}.values())


def _real(path: str) -> str:
    return os.path.realpath(os.path.expanduser(path))


def read_places(run: Path) -> Places:
    """What a run folder remembers of its files; of an earlier residua's nothing."""
    try:
        document = tomllib.loads(toml_text(run / "run.toml"))
    except (OSError, ValueError, RecursionError):
        return Places(run)
    machine: Any = document.get("machine", {})
    known: Any = machine.get(TABLE, {}) if isinstance(machine, dict) else {}
    if not isinstance(known, dict):
        return Places(run)
    table = {
        option: (paths[0], paths[1])
        for option, paths in known.items()
        if isinstance(paths, list) and len(paths) == 2 and all(isinstance(path, str) for path in paths)
    }
    return Places(run, table)


def describe_places(config: TrainConfig, run: Path) -> dict[str, list[str]]:
    """What run.toml keeps: where every option that names something on this computer led to."""
    places = {}
    for option, typed in file_options(config).items():
        found = find_data(typed, config.data.data_dir) if option == "data" else Path(typed).expanduser()
        if option == "run" or found is None or not found.exists():
            continue
        absolute = os.path.abspath(found)
        try:
            near = os.path.relpath(os.path.realpath(absolute), os.path.realpath(run))
        except ValueError:  # on another drive
            continue
        places[option] = [near, absolute]
    return places


def keep_places(config: TrainConfig, run: Path) -> None:
    """Write into run.toml where the files are now, if they were elsewhere. Raises RunError."""
    import tomli_w

    path = run / "run.toml"
    try:
        document = tomllib.loads(toml_text(path))
    except (OSError, ValueError) as error:
        raise RunError(f"cannot read {path}: {error}") from None
    machine = document.setdefault("machine", {})
    kept = machine.get(TABLE, {}) | describe_places(config, run)
    if kept != machine.get(TABLE, {}):
        machine[TABLE] = kept
        write_durably(path, tomli_w.dumps(document).encode(errors="surrogateescape"))


def find_data(name: str, data_dir: str | None) -> Path | None:
    """The folder or packed file that is meant, here or in a data folder.

    None for published data, or where there is none.
    """
    if name in DATASETS or not name:
        return None
    folders = [Path(os.path.expanduser(name)), *(root / name for root in data_folders(data_dir))]
    # `is_dir` of a Path raises for names that no file can have, and this name may be a model file's.
    return next((folder for folder in folders if os.path.isdir(folder) or is_packed(folder)), None)


def data_places(name: str, paths: Sequence[str], data_dir: str | None) -> list[str]:
    """Those of the paths that lead to the data of that name, each folder once.

    Raises DataError that says where was looked, and how another place is named.
    """
    found = [
        path
        for path in paths
        if path in DATASETS or is_address(path) or find_data(path, data_dir) is not None
    ]
    if not found:
        looked = ", ".join(dict.fromkeys(os.path.abspath(os.path.expanduser(path)) for path in paths))
        raise DataError(
            f"{name} is not where it was: looked for {looked}; name the folder's new place with --data"
        )
    return found


def first_file(paths: Sequence[str]) -> str:
    """The first path under which there is something, or the first."""
    return next((path for path in paths if os.path.exists(os.path.expanduser(path))), paths[0])


def find_labels(typed: DataOptions, places: Places, folder: str) -> str | None:
    """The table of labels of data that lie in that folder now: where it was, or beside the pictures."""
    if typed.labels is None:
        return None
    paths = places.of("labels", typed.labels)
    inside = os.path.relpath(os.path.abspath(typed.labels), os.path.abspath(typed.data))
    if not inside.startswith(os.pardir):
        paths.insert(0, os.path.join(folder, inside))
    elif "data" in places.table and "labels" in places.table:
        near = os.path.relpath(places.table["labels"][1], places.table["data"][1])
        paths.append(os.path.join(folder, near))
    # A table may also be named as it is called within the folder.
    within = [os.path.join(folder, path) for path in (typed.labels, os.path.basename(typed.labels))]
    return first_file([*paths, *within])
