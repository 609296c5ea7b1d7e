"""A class by its name, as people write it after --target."""

from __future__ import annotations

import difflib

from residua.errors import ConfigError, near
from residua.models.model_file import Model

MANY = 20  # classes that an error does not name one by one


def class_index(model: Model, name: str, option: str = "--target") -> int:
    """The index of a class: by its name, or one of its names between commas (as ImageNet's), in any case.

    option: the flag by which it was named. Raises ConfigError with the nearest names, or those it may mean.
    """
    classes = model.classes
    if name in classes:
        return classes.index(name)
    folded = name.strip().casefold()
    by_name: dict[str, set[int]] = {}
    for index, entry in enumerate(classes):
        for part in {entry, *entry.split(",")}:
            by_name.setdefault(part.strip().casefold(), set()).add(index)
    matches = sorted(by_name.get(folded, ()))
    if len(matches) == 1:
        return matches[0]
    if matches:
        choice = " or ".join(repr(classes[index]) for index in matches[:3])
        raise ConfigError(f"{option} {name!r} may mean several classes: write {choice}")
    raise ConfigError(f"{option}: {model.name} has no class {name!r}.{_hint(folded, classes, by_name)}")


def _hint(folded: str, classes: tuple[str, ...], by_name: dict[str, set[int]]) -> str:
    """The classes that may have been meant, or what there is to choose from."""
    close = [min(by_name[part]) for part in difflib.get_close_matches(folded, by_name, n=3, cutoff=0.6)]
    holding = [index for index, entry in enumerate(classes) if folded and folded in entry.casefold()]
    meant = [classes[index] for index in dict.fromkeys((close or holding)[:3])]
    if meant:
        return f" Did you mean {' or '.join(map(repr, meant))}?"
    if len(classes) <= MANY:
        return near(folded, classes)
    return f" It has {len(classes):,}, such as {' or '.join(map(repr, classes[:3]))}."
