"""What a card says of a data set, and the card of somebody's own folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from residua.config.defaults import BATCH, DECAY, MOMENTUM, RATES
from residua.data.sources.published_files import Download


@dataclass(frozen=True)
class Recipe:
    """What training uses where nothing else is asked for.

    model: name of the network. width: channels of its first stage; None for its own. epochs: passes over the
    training split. crop: pixels of padding for random crops. flip: mirror half of the pictures. batch:
    pictures in a step; small sets learn better in small ones. rate: learning rate of sgd at that batch.
    decay: weight decay. nesterov: Nesterov's momentum. rate_by_batch: the rate of other batches is in
    proportion. All others are options of training, by their names.
    """

    model: str
    width: int | None
    epochs: int
    crop: int
    flip: bool
    batch: int = BATCH
    rate: float = RATES["sgd"]
    decay: float = DECAY
    nesterov: bool = False
    rate_by_batch: bool = False
    momentum: float = MOMENTUM
    schedule: Literal["one-cycle", "triangle"] = "one-cycle"
    smoothing: float = 0.0
    lookahead: bool = False
    bias_rate: float = 1.0
    whitening_epochs: int | None = None
    alternate_flip: bool = False
    border: Literal["mean", "reflect"] = "mean"

    def crop_and_flip(self, crop: int | None, flip: bool | None, resized_crop: float) -> tuple[int, bool]:
        """Crop and flip as asked for, or this recipe's; no padded crop where boxes are cut out anyway."""
        chosen = (0 if resized_crop else self.crop) if crop is None else crop
        return chosen, self.flip if flip is None else flip


@dataclass(frozen=True)
class Card:
    """A data set.

    shape: height, width, channels; picture files are brought to it. recipe: what training takes where no
    network is named. others: what it takes for every other network; none where that is the same. classes: in
    the order of the labels; none where the files tell. kind: which reader its files need; "folder" for
    picture files. validation: held out of the training split, as a share below 1 or a number of pictures.
    test: the share that becomes the test split where the publisher names none. layout: how the publisher lays
    out picture files (see `residua.data.sources.layouts`), "" for a folder per class. folders: where the
    files may lie below a data folder; the first is where downloads go.
    """

    name: str
    title: str
    page: str
    citation: str
    shape: tuple[int, int, int]
    recipe: Recipe
    others: Recipe | None = None
    classes: tuple[str, ...] = ()
    kind: str = "folder"
    validation: float = 0.1
    test: float = 0.1
    layout: str = ""
    folders: tuple[str, ...] = ()
    files: tuple[Download, ...] = field(default=(), repr=False)

    def recipe_of(self, model: str | None) -> Recipe:
        """What training takes for the network of this name; for none, the data set's own."""
        return self.recipe if self.others is None or model in (None, self.recipe.model) else self.others

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.shape[1]

    @property
    def channels(self) -> int:
        """3 for colour, 1 for grey."""
        return self.shape[2]


FOLDER_SIZE = 64


def folder_card(
    path: str, size: int, classes: tuple[str, ...], channels: int = 3, wide: int | None = None
) -> Card:
    """The card of somebody's own folder of pictures, brought to `size` pixels and `wide` ones across."""
    return Card(
        name=path,
        title=f"Pictures in {path}",
        page="",
        citation="",
        shape=(size, wide or size, channels),
        classes=classes,
        recipe=Recipe("resnet20", width=16, epochs=30, crop=size // 8, flip=True, batch=32, rate=0.05),
    )
