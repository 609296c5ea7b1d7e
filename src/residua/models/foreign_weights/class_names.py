"""The names of a foreign model's classes: an option, a list beside the weights, or numbers."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from residua.data import DATASETS
from residua.errors import ConfigError
from residua.files.regular import require_file
from residua.files.text_file import decode_text

FILE_NAME = "classes.txt"


def find_class_names(option: str | None, weights: Path, count: int) -> tuple[tuple[str, ...], str | None]:
    """The names of `count` classes, and the data set that they are those of, None where it is not known.

    option: a data set's name, a file with a name a line, or names with commas between; without it the list
    beside the weights, and class0, class1, ... where there is none. Raises ConfigError for another number of
    names, or equal ones.
    """
    data = None
    if option is None:
        beside = [
            folder / FILE_NAME for folder in (weights, weights.parent) if (folder / FILE_NAME).is_file()
        ]
        names = read_class_names(beside[0]) if weights.is_dir() and beside else ()
        if len(names) != count:  # somebody else's list
            return tuple(f"class{number}" for number in range(count)), None
    elif option in DATASETS:
        names, data = DATASETS[option].classes, option
    elif Path(option).exists() and not Path(option).is_dir():
        names = read_class_names(Path(option))
    else:
        names = tuple(name.strip() for name in option.split(","))
    if len(names) != count or len(set(names)) != count:
        raise ConfigError(f"--classes takes {count} different names for this network; {len(names)} came")
    return names, data


def read_class_names(path: Path) -> tuple[str, ...]:
    """One name a line; of ImageNet's "n01440764 tench" the words alone, but where two classes share them.

    Raises ConfigError where the file cannot be read.
    """
    require_file(path, ConfigError, "the names of the classes in")
    try:
        lines = [line.strip() for line in decode_text(path.read_bytes())[0].splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the names of the classes in {path}: {error}") from None
    lines = [line for line in lines if line]
    matches = [match for line in lines if (match := re.fullmatch(r"(n\d{8})\s+(.+)", line))]
    if len(matches) < len(lines):
        return tuple(lines)
    uses = Counter(match[2] for match in matches)
    return tuple(match[2] if uses[match[2]] == 1 else f"{match[2]} ({match[1]})" for match in matches)
