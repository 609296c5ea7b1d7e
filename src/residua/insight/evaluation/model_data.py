"""The data that a model is asked about: those that it was trained on, wherever they lie now, or others.

Data are known by what they hold, never by their path: by the fingerprint of the training split that a model
file keeps.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from residua.config import DataOptions, EvaluateConfig
from residua.data import DATASETS, DataSet, Preprocessing, open_dataset, recognise
from residua.data.dataset import SPLITS, Split
from residua.errors import ConfigError, DataError, ResiduaError
from residua.models.model_file import Model
from residua.training.places import Places, data_places, find_data, find_labels, first_file, read_places
from residua.training.run_folder import read_run

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class OpenedData:
    """The data that a model is asked about.

    same: what it was trained on. changed: at their place, but no longer what they were. whole: other data
    that is to be measured as a whole.
    """

    name: str
    data: DataSet
    same: bool
    whole: bool
    changed: bool = False

    @property
    def own(self) -> bool:
        """Whether they are what the model was trained on, and split as then."""
        return self.same and not self.changed

    def called(self, split: str) -> str:
        """What is measured where that split is asked for."""
        return "whole folder" if self.whole else split

    def splits(self, asked: Split, size: Callable[[Split], int]) -> tuple[Split, ...]:
        """The splits that are measured where one is asked for; of a whole all that are there.

        What a folder calls its test pictures are kept out of what is no test. size: of a split. Raises
        DataError where there are no pictures.
        """
        there = tuple(name for name in (SPLITS if self.whole else (asked,)) if size(name))
        if not there:
            raise DataError(f"the {asked} split of {self.name} is empty: name another with --split")
        if asked != "test" and len(there) > 1:
            there = tuple(name for name in there if name != "test")
        return there


def open_data(model: Model, config: EvaluateConfig, say: Say) -> OpenedData:
    """The data that the model was trained on, split as it was then, or other data, which are not split.

    Raises ConfigError where no data is known, DataError where there are none or pictures do not fit.
    """
    own = _OwnPlaces.of(model, config)
    if config.data is None:
        if own.data is None:
            raise ConfigError("this model does not say what it was trained on: name a data set with --data")
        places = data_places(own.data, own.places.of("data", own.data), own.data_dir)
        return _own_data(model, config, own, places, say)
    try:
        return _own_data(model, config, own, [config.data], say)
    except ResiduaError:  # then they are others, which need not be fit for training
        return _other_data(model, config, config.data, say)


def _own_data(
    model: Model, config: EvaluateConfig, own: _OwnPlaces, places: Sequence[str], say: Say
) -> OpenedData:
    """The first of the places with what the model was trained on, or one where it was and has changed.

    Raises ResiduaError where neither is there.
    """
    changed, told = None, _Heard()
    problem: ResiduaError | None = None
    for place in places:
        heard = _Heard()
        try:
            data, as_then = _open_as_trained(model, config, own, place, heard)
        except ResiduaError as error:
            problem = problem or error
            continue
        opened = OpenedData(
            config.data or own.data or place, data, same=True, whole=False, changed=not as_then
        )
        if as_then:
            heard.tell(say)
            return opened
        if changed is None and (config.data is None or own.holds(place)):
            changed, told = opened, heard
    if changed is None:
        raise problem or DataError(f"{places[0]} is not what the model was trained on")
    told(
        f"{changed.name} has changed since this model was trained: "
        "its test split may hold pictures that the model has seen"
    )
    told.tell(say)
    return changed


class _Heard:
    """Keeps what is said while data are opened, until they are chosen; what is said later is passed on."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.say: Say = self.lines.append

    def __call__(self, line: str) -> None:
        self.say(line)

    def tell(self, say: Say) -> None:
        """These are the data: all that was said, and whatever their reading will say."""
        for line in self.lines:
            say(line)
        self.say = say


@dataclass(frozen=True)
class _OwnPlaces:
    """Where a model's own data may be: as they were named, and as its run folder remembers."""

    places: Places
    data: str | None
    labels: str | None
    data_dir: str | None

    @classmethod
    def of(cls, model: Model, config: EvaluateConfig) -> _OwnPlaces:
        known, run = model.training, Path() if model.file is None else model.file.parent
        places, data_dir = Places(run), config.data_dir
        data, labels = known.get("data"), known.get("labels")
        labels = labels if isinstance(labels, str) else None  # a `Classifier` keeps the labels themselves
        if model.file is not None and (run / "run.toml").exists():
            try:
                options = read_run(run).data
            except ResiduaError:  # of a newer residua; the model itself can be read
                return cls(places, data, labels, data_dir)
            if options.data == data:  # not a base that lies beside
                places = read_places(run)
                if data_dir is None and options.data_dir is not None:
                    data_dir = first_file(places.of("data_dir", options.data_dir))
        return cls(places, data, labels, data_dir)

    def holds(self, place: str) -> bool:
        """Whether the path leads to where the model's own data were."""
        if self.data is None:
            return False
        return any(same_data(place, path) for path in self.places.of("data", self.data))

    def labels_for(self, place: str) -> str | None:
        if self.labels is None or self.data is None:
            return None
        return find_labels(DataOptions(data=self.data, labels=self.labels), self.places, place)


def _open_as_trained(
    model: Model, config: EvaluateConfig, own: _OwnPlaces, place: str, say: Say
) -> tuple[DataSet, bool]:
    """Data opened and split as in the model's training, and whether they are what they were then.

    Raises ResiduaError where they cannot be opened like that.
    """
    known, shape = model.training, model.preprocessing
    card = _card(place, own.data_dir)
    folder = card is None or card.kind == "folder"
    if own.data is None or (place in DATASETS and own.data in DATASETS and place != own.data):
        raise DataError(f"{place} is not what the model was trained on")
    options = DataOptions(
        data=place,
        data_dir=own.data_dir,
        labels=config.labels or own.labels_for(place),
        size=shape.reading[0] if folder else None,
        wide=_width(shape) if folder else None,
        validation=known.get("validation"),
        test=known.get("test"),
        groups=known.get("groups", "kept"),
        copies=known.get("copies", "kept"),
        limit=known.get("limit"),
        region=bool(known.get("region")),
    )
    data = open_dataset(options, int(known.get("seed", 0)), say=say, channels=shape.channels)
    _check_size(model, data, place)
    fingerprint = known.get("fingerprint")
    # What a publisher packs into arrays is known by its name; to read all of it would take seconds.
    if fingerprint is None or (not folder and place in DATASETS):
        return data, same_data(place, own.data)
    return data, data.classes == model.classes and data.fingerprint("train") == fingerprint


def _other_data(model: Model, config: EvaluateConfig, name: str, say: Say) -> OpenedData:
    """Data that the model was not trained on, in the splits that they have by themselves."""
    shape = model.preprocessing
    card = _card(name, config.data_dir)
    folder = card is None or card.kind == "folder"
    options = DataOptions(
        data=name,
        data_dir=config.data_dir,
        labels=config.labels,
        size=shape.reading[0] if folder else None,
        wide=_width(shape) if folder else None,
    )
    data = open_dataset(options, 0, say=say, channels=shape.channels, purpose="measure")
    _check_size(model, data, name)
    own = data.card.kind == "folder" and not data.card.layout
    # A folder's own splits are its own; one that is not there is no reason to draw one.
    listing = data.listing
    named = listing is not None and len(listing.splits["test"]) > 0 and len(listing.splits[config.split]) > 0
    return OpenedData(name, data, same=False, whole=own and not named)


def _width(shape: Preprocessing) -> int | None:
    """The width at which picture files are read, where it is not their height."""
    height, width = shape.reading
    return None if width == height else width


def _card(name: str, data_dir: str | None) -> Any:
    """The card of published data, by their name or their layout; None for somebody's own."""
    if name in DATASETS:
        return DATASETS[name]
    folder = find_data(name, data_dir)
    return None if folder is None else recognise(folder)


def _check_size(model: Model, data: DataSet, name: str) -> None:
    """Raise DataError where pictures are of another size than the model takes."""
    shape = model.preprocessing
    height, width = shape.reading if data.card.kind == "folder" else shape.stored
    expected, actual = (height, width, shape.channels), (data.height, data.width, data.channels)
    if actual != expected:
        raise DataError(
            f"{name} has pictures of {_times(actual)}, this model takes {_times(expected)}: evaluate it on "
            "others, or on a folder of pictures, which are brought to size"
        )


def _times(sides: tuple[int, int, int]) -> str:
    return "x".join(map(str, sides))


def same_data(one: str, other: str) -> bool:
    """Whether two names mean the same data set or folder."""
    return one == other or (os.path.isdir(one) and Path(one).resolve() == Path(other).resolve())
