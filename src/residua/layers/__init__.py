"""Layers: frozen dataclasses whose forward and backward steps are written by hand."""

from __future__ import annotations

from residua.layers.activation import ReLU
from residua.layers.base import Layer, Row
from residua.layers.blocks import Residual, Sequential
from residua.layers.convolution import Conv2d
from residua.layers.dropout import Dropout
from residua.layers.linear import Linear
from residua.layers.normalization import BatchNorm1d, BatchNorm2d, ConvNorm, ScaleShift
from residua.layers.pooling import AveragePool2d, GlobalAveragePool, MaxPool2d
from residua.layers.shape import Flatten, Identity, SubsamplePad

# Every layer that a model file may name: the literal table is the allow-list.
LAYERS: dict[str, type[Layer]] = {
    "AveragePool2d": AveragePool2d,
    "BatchNorm1d": BatchNorm1d,
    "BatchNorm2d": BatchNorm2d,
    "Conv2d": Conv2d,
    "ConvNorm": ConvNorm,
    "Dropout": Dropout,
    "Flatten": Flatten,
    "GlobalAveragePool": GlobalAveragePool,
    "Identity": Identity,
    "Linear": Linear,
    "MaxPool2d": MaxPool2d,
    "ReLU": ReLU,
    "Residual": Residual,
    "ScaleShift": ScaleShift,
    "Sequential": Sequential,
    "SubsamplePad": SubsamplePad,
}

__all__ = [
    "LAYERS",
    "AveragePool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "ConvNorm",
    "Dropout",
    "Flatten",
    "GlobalAveragePool",
    "Identity",
    "Layer",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "Residual",
    "Row",
    "ScaleShift",
    "Sequential",
    "SubsamplePad",
]
