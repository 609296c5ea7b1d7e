"""The table of models: what each is, where it comes from and what was published of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from residua.layers import Layer
from residua.models.architectures.airbench import airbench94
from residua.models.architectures.alexnet import alexnet
from residua.models.architectures.capsnet import capsnet
from residua.models.architectures.large_resnet import large_preactivation_resnet, large_resnet
from residua.models.architectures.lenet import lenet5
from residua.models.architectures.small_resnet import small_resnet
from residua.models.architectures.squeezenet import squeezenet
from residua.models.architectures.vgg import small_vgg, vgg

HE_2015 = "He et al. 2015, Deep Residual Learning for Image Recognition, arXiv 1512.03385"
HE_2016 = "He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv 1603.05027"
JORDAN_2024 = "Jordan 2024, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv 2404.00498"
KRIZHEVSKY_2012 = (
    "Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks, NIPS 25"
)
KRIZHEVSKY_2014 = (
    "Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks, arXiv 1404.5997"
)
LECUN_1998 = "LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, Proc. IEEE 86 (11)"
IANDOLA_2016 = (
    "Iandola et al. 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters, arXiv 1602.07360"
)
SABOUR_2017 = "Sabour et al. 2017, Dynamic routing between capsules, arXiv 1710.09829"
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
    split for ten classes, top-1 on ImageNet's validation split for a thousand, unless `note` says otherwise.
    `unit_pixels`: the network takes pixels from 0 to 1 as they are, instead of normalised ones.
    `published` holds what only the network of the published weights has.
    """

    builder: Callable[..., Layer]
    options: dict[str, Any]
    input_shape: tuple[int, int, int]
    paper: str
    parameters: int
    published_error: float | None = None
    note: str = ""
    title: str = ""
    classes: int = 10
    unit_pixels: bool = False
    published: dict[str, Any] = field(default_factory=dict)


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


def _preactivated(depth: int, parameters: int, error: float | None = None) -> Card:
    title = f"residual, pre-activated, {depth} layers"
    options = {"depth": depth, "preactivation": True}
    return Card(small_resnet, options, CIFAR, HE_2016, parameters, error, "", title)


def _large_preactivated(depth: int, parameters: int, error: float | None = None, note: str = "") -> Card:
    title = f"residual for large pictures, pre-activated, {depth} layers"
    options = {"depth": depth}
    return Card(large_preactivation_resnet, options, IMAGENET, HE_2016, parameters, error, note, title, 1000)


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
    "preresnet20": _preactivated(20, 269_722),
    "preresnet32": _preactivated(32, 464_154),
    "preresnet44": _preactivated(44, 658_586),
    "preresnet56": _preactivated(56, 853_018),
    "preresnet110": _preactivated(110, 1_727_962, 6.37),
    "lenet5": Card(
        lenet5,
        {},
        (32, 32, 1),
        LECUN_1998,
        parameters=61_706,
        published_error=0.95,
        note="on MNIST's test split",
        title="LeNet-5, the classic for digits",
    ),
    "capsnet": Card(
        capsnet,
        {},
        (28, 28, 1),
        SABOUR_2017,
        parameters=8_215_568,
        published_error=0.25,
        note="on MNIST's test split; 6,804,224 parameters without the decoder",
        title="CapsNet, capsules with routing by agreement",
        unit_pixels=True,
    ),
    "airbench94": Card(
        airbench94,
        {},
        CIFAR,
        JORDAN_2024,
        parameters=1_971_352,
        published_error=5.99,
        note="with six views at test time; the fixed first weights are not counted",
        title="airbench94, made for speed records on CIFAR-10",
    ),
    "vgg8": Card(
        small_vgg,
        {},
        CIFAR,
        SIMONYAN_2014,
        parameters=551_018,
        note="not in the paper",
        title="VGG for small pictures, 8 layers with batch normalisation",
    ),
    "alexnet": Card(
        alexnet,
        {"towers": 2, "response_norm": True},
        IMAGENET,
        KRIZHEVSKY_2012,
        parameters=60_965_224,
        published_error=40.7,
        note="ten crops",
        title="AlexNet, the sizes of 2012, in two towers",
        classes=1000,
    ),
    "alexnet-one-tower": Card(
        alexnet,
        {"towers": 1, "response_norm": False},
        IMAGENET,
        KRIZHEVSKY_2014,
        parameters=61_100_840,
        title="AlexNet, the sizes of 2014, in one tower",
        classes=1000,
    ),
    "squeezenet": Card(
        squeezenet,
        {},
        IMAGENET,
        IANDOLA_2016,
        parameters=1_235_496,
        published_error=42.5,
        note="said of version 1.0",
        title="SqueezeNet 1.1",
        classes=1000,
        published={"rectified": True},
    ),
    "resnet18": _large(18, 11_689_512, 27.88, "ten crops, with shortcuts A"),
    "resnet34": _large(34, 21_797_672, 24.52),
    "resnet50": _large(50, 25_557_032, 22.85),
    "resnet101": _large(101, 44_549_160, 21.75),
    "resnet152": _large(152, 60_192_808, 21.43),
    "preresnet18": _large_preactivated(18, 11_687_720),
    "preresnet34": _large_preactivated(34, 21_795_880),
    "preresnet50": _large_preactivated(50, 25_549_352),
    "preresnet101": _large_preactivated(101, 44_541_480),
    "preresnet152": _large_preactivated(152, 60_185_128, 21.1, "one crop of 320x320"),
    "vgg11": _vgg((1, 1, 2, 2, 2), 132_863_336, 29.6),
    "vgg13": _vgg((2, 2, 2, 2, 2), 133_047_848, 28.7),
    "vgg16": _vgg((2, 2, 3, 3, 3), 138_357_544, 27.0),
    "vgg19": _vgg((2, 2, 4, 4, 4), 143_667_240, 27.3),
    "vgg11-bn": _vgg((1, 1, 2, 2, 2), 132_866_088, None, normalized=True),
    "vgg13-bn": _vgg((2, 2, 2, 2, 2), 133_050_792, None, normalized=True),
    "vgg16-bn": _vgg((2, 2, 3, 3, 3), 138_361_768, None, normalized=True),
    "vgg19-bn": _vgg((2, 2, 4, 4, 4), 143_672_744, None, normalized=True),
}
