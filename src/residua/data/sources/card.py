"""What a card says of a data set, and the card of somebody's own folder."""

from __future__ import annotations

from dataclasses import dataclass, field

from residua.config.defaults import BATCH, DECAY, RATES


@dataclass(frozen=True)
class Recipe:
    """What training uses where nothing else is asked for.

    model: name of the network. width: channels of its first stage. epochs: passes over the training
    split. crop: pixels of padding for random crops. flip: mirror half of the pictures. batch: pictures in
    a step; small sets learn better in small ones. rate: learning rate of sgd at that batch. decay: weight
    decay. nesterov: Nesterov's momentum.
    """

    model: str
    width: int
    epochs: int
    crop: int
    flip: bool
    batch: int = BATCH
    rate: float = RATES["sgd"]
    decay: float = DECAY
    nesterov: bool = False

    def moves(self, crop: int | None, flip: bool | None, resized_crop: float) -> tuple[int, bool]:
        """Crop and flip as asked for, or this recipe's; no padded crop where boxes are cut out anyway."""
        chosen = (0 if resized_crop else self.crop) if crop is None else crop
        return chosen, self.flip if flip is None else flip


@dataclass(frozen=True)
class Download:
    """A published file: its name, its addresses (the first that answers is used) and its checksum."""

    name: str
    urls: tuple[str, ...]
    checksum: str  # "md5:..." or "sha256:...", whichever the publisher gives


@dataclass(frozen=True)
class Card:
    """A data set.

    height, width: pixels. classes: in the order of the labels; none where the files tell. validation:
    held out of the training split, as a share below 1 or a number of pictures. test: the share that
    becomes the test split where the publisher names none. kind: which reader its files need; "folder" for
    picture files, which are brought to size. layout: how the publisher lays those out (see
    `residua.data.sources.layouts`), "" for a folder per class. folders: where the files may lie below a data
    folder; the first is where downloads go.
    """

    name: str
    title: str
    page: str
    citation: str
    height: int
    width: int
    channels: int
    classes: tuple[str, ...]
    kind: str
    recipe: Recipe
    validation: float = 0.1
    test: float = 0.1
    layout: str = ""
    folders: tuple[str, ...] = ()
    files: tuple[Download, ...] = field(default=(), repr=False)


FOLDER_SIZE = 64


def folder_card(path: str, size: int, classes: tuple[str, ...], channels: int = 3) -> Card:
    """The card of somebody's own folder of pictures, brought to size x size pixels."""
    return Card(
        name=path,
        title=f"Pictures in {path}",
        page="",
        citation="",
        height=size,
        width=size,
        channels=channels,
        classes=classes,
        kind="folder",
        recipe=Recipe("resnet20", width=16, epochs=30, crop=size // 8, flip=True, batch=32, rate=0.05),
    )
