"""The table of models: what each is, where it comes from and what was published of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from residua.layers import Sequential
from residua.models.large_resnet import large_resnet
from residua.models.resnet import small_resnet
from residua.models.vgg import vgg

HE_2015 = "He et al. 2015, Deep Residual Learning for Image Recognition, arXiv 1512.03385"
SIMONYAN_2014 = (
    "Simonyan and Zisserman 2014, Very Deep Convolutional Networks for Large-Scale Image Recognition, "
    "arXiv 1409.1556"
)
CIFAR, IMAGENET = (32, 32, 3), (224, 224, 3)


@dataclass(frozen=True)
class Card:
    """What is known of a model before it is trained.

    `parameters` counts trained numbers for pictures of the input shape and so many `classes`;
    `published_error` is the paper's error in per cent, None where the paper gives none: on CIFAR-10's test
    split for ten classes, top-1 on ImageNet's validation split for a thousand. `note` says how it was taken.
    """

    builder: Callable[..., Sequential]
    options: dict[str, Any]
    input_shape: tuple[int, int, int]
    paper: str
    parameters: int
    published_error: float | None = None
    note: str = ""
    title: str = ""
    classes: int = 10


def _resnet(depth: int, parameters: int, error: float | None, note: str = "") -> Card:
    title = f"residual, {depth} layers"
    return Card(small_resnet, {"depth": depth}, CIFAR, HE_2015, parameters, error, note, title)


def _plain(depth: int, parameters: int, error: float | None = None) -> Card:
    options = {"depth": depth, "shortcut": None}
    title = f"plain, {depth} layers: no shortcuts"
    return Card(small_resnet, options, CIFAR, HE_2015, parameters, error, "", title)


def _large(depth: int, parameters: int, error: float, note: str = "ten crops") -> Card:
    title = f"residual for large pictures, {depth} layers"
    return Card(large_resnet, {"depth": depth}, IMAGENET, HE_2015, parameters, error, note, title, 1000)


def _vgg(blocks: tuple[int, ...], parameters: int, error: float | None, normalized: bool = False) -> Card:
    title = f"VGG, {sum(blocks) + 3} layers" + (" with batch normalisation" if normalized else "")
    note = "not in the paper" if normalized else "one scale, whole pictures"
    options = {"blocks": blocks, "normalized": normalized}
    return Card(vgg, options, IMAGENET, SIMONYAN_2014, parameters, error, note, title, 1000)


MODELS: dict[str, Card] = {
    "resnet8": _resnet(8, 75_290, None, "not in the paper"),
    "resnet20": _resnet(20, 269_722, 8.75),
    "resnet32": _resnet(32, 464_154, 7.51),
    "resnet44": _resnet(44, 658_586, 7.17),
    "resnet56": _resnet(56, 853_018, 6.97),
    "resnet110": _resnet(110, 1_727_962, 6.43),
    "plain20": _plain(20, 269_722),
    "plain32": _plain(32, 464_154),
    "plain44": _plain(44, 658_586),
    "plain56": _plain(56, 853_018),
    "resnet18": _large(18, 11_689_512, 27.88, "ten crops, with shortcuts A"),
    "resnet34": _large(34, 21_797_672, 24.52),
    "resnet50": _large(50, 25_557_032, 22.85),
    "resnet101": _large(101, 44_549_160, 21.75),
    "resnet152": _large(152, 60_192_808, 21.43),
    "vgg11": _vgg((1, 1, 2, 2, 2), 132_863_336, 29.6),
    "vgg13": _vgg((2, 2, 2, 2, 2), 133_047_848, 28.7),
    "vgg16": _vgg((2, 2, 3, 3, 3), 138_357_544, 27.0),
    "vgg19": _vgg((2, 2, 4, 4, 4), 143_667_240, 27.3),
    "vgg11-bn": _vgg((1, 1, 2, 2, 2), 132_866_088, None, normalized=True),
    "vgg13-bn": _vgg((2, 2, 2, 2, 2), 133_050_792, None, normalized=True),
    "vgg16-bn": _vgg((2, 2, 3, 3, 3), 138_361_768, None, normalized=True),
    "vgg19-bn": _vgg((2, 2, 4, 4, 4), 143_672_744, None, normalized=True),
}
