"""Layers: frozen dataclasses whose forward and backward steps are written by hand.

May import: engines, errors, variables.
"""

from __future__ import annotations

from residua.layers.activation import (
    LeakyReLU,
    Logarithm,
    LogSoftmax,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    Threshold,
)
from residua.layers.base import Layer, Row
from residua.layers.branches import Add, Concatenate, Parallel
from residua.layers.capsule_network import CapsuleNetwork
from residua.layers.capsules import DigitCapsules, Lengths, PrimaryCapsules, Shares
from residua.layers.containers import Residual, Sequential
from residua.layers.convolution import Conv2d
from residua.layers.convolution_kinds import DepthwiseConv2d, GroupedConv2d, TransposedConv2d
from residua.layers.dropout import Dropout, Dropout2d
from residua.layers.ensemble import PROBABILITIES, Ensemble
from residua.layers.linear import Linear
from residua.layers.normalization import BatchNorm1d, BatchNorm2d, ConvNorm, LocalResponseNorm, ScaleShift
from residua.layers.padding import NearestUpsample2d, ReflectionPad2d, ReplicationPad2d, ZeroPad2d
from residua.layers.pooling import AveragePool2d, GlobalAveragePool, MaxPool2d
from residua.layers.reshaping import Flatten, Identity, MultiplyConstant, Reshape, SubsamplePad

# Every layer that a model file may name: the literal table is the allow-list.
LAYERS: dict[str, type[Layer]] = {
    "Add": Add,
    "AveragePool2d": AveragePool2d,
    "BatchNorm1d": BatchNorm1d,
    "BatchNorm2d": BatchNorm2d,
    "CapsuleNetwork": CapsuleNetwork,
    "Concatenate": Concatenate,
    "Conv2d": Conv2d,
    "ConvNorm": ConvNorm,
    "DepthwiseConv2d": DepthwiseConv2d,
    "DigitCapsules": DigitCapsules,
    "Dropout": Dropout,
    "Dropout2d": Dropout2d,
    "Ensemble": Ensemble,
    "Flatten": Flatten,
    "GlobalAveragePool": GlobalAveragePool,
    "GroupedConv2d": GroupedConv2d,
    "Identity": Identity,
    "LeakyReLU": LeakyReLU,
    "Lengths": Lengths,
    "Linear": Linear,
    "LocalResponseNorm": LocalResponseNorm,
    "LogSoftmax": LogSoftmax,
    "Logarithm": Logarithm,
    "MaxPool2d": MaxPool2d,
    "MultiplyConstant": MultiplyConstant,
    "NearestUpsample2d": NearestUpsample2d,
    "Parallel": Parallel,
    "PrimaryCapsules": PrimaryCapsules,
    "ReLU": ReLU,
    "ReflectionPad2d": ReflectionPad2d,
    "ReplicationPad2d": ReplicationPad2d,
    "Reshape": Reshape,
    "Residual": Residual,
    "ScaleShift": ScaleShift,
    "Sequential": Sequential,
    "Shares": Shares,
    "Sigmoid": Sigmoid,
    "Softmax": Softmax,
    "SubsamplePad": SubsamplePad,
    "Tanh": Tanh,
    "Threshold": Threshold,
    "TransposedConv2d": TransposedConv2d,
    "ZeroPad2d": ZeroPad2d,
}

__all__ = [
    "LAYERS",
    "PROBABILITIES",
    "Add",
    "AveragePool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "CapsuleNetwork",
    "Concatenate",
    "Conv2d",
    "ConvNorm",
    "DepthwiseConv2d",
    "DigitCapsules",
    "Dropout",
    "Dropout2d",
    "Ensemble",
    "Flatten",
    "GlobalAveragePool",
    "GroupedConv2d",
    "Identity",
    "Layer",
    "LeakyReLU",
    "Lengths",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "Logarithm",
    "MaxPool2d",
    "MultiplyConstant",
    "NearestUpsample2d",
    "Parallel",
    "PrimaryCapsules",
    "ReLU",
    "ReflectionPad2d",
    "ReplicationPad2d",
    "Reshape",
    "Residual",
    "Row",
    "ScaleShift",
    "Sequential",
    "Shares",
    "Sigmoid",
    "Softmax",
    "SubsamplePad",
    "Tanh",
    "Threshold",
    "TransposedConv2d",
    "ZeroPad2d",
]
