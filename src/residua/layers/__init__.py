"""Layers: frozen dataclasses whose forward and backward steps are written by hand.

May import: engines, errors, variables.

`base.py` says what a layer is; each kind lies in the file of its name. `parameters.py` (first weights),
`shapes.py` (what fits) and `probabilities.py` are what several share, `registry.py` is the table of what a
model file may name, `serialization.py` writes and reads that, and `hooks.py` looks at what passes between
layers.
"""

from __future__ import annotations

from residua.layers.activation import (
    GELU,
    LeakyReLU,
    Logarithm,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    Threshold,
)
from residua.layers.base import Layer, Row
from residua.layers.batch_norm import BatchNorm1d, BatchNorm2d
from residua.layers.branches import Add, Concatenate, Parallel
from residua.layers.capsule_network import CapsuleNetwork
from residua.layers.capsules import DigitCapsules, Lengths, PrimaryCapsules, Shares
from residua.layers.conv_norm import ConvNorm
from residua.layers.convolution import Conv2d
from residua.layers.dropout import Dropout, Dropout2d
from residua.layers.ensemble import Ensemble
from residua.layers.grouped_convolution import DepthwiseConv2d, GroupedConv2d
from residua.layers.identity import Identity
from residua.layers.linear import Linear
from residua.layers.local_response_norm import LocalResponseNorm
from residua.layers.padding import ReflectionPad2d, ReplicationPad2d, ZeroPad2d
from residua.layers.pooling import AveragePool2d, GlobalAveragePool, MaxPool2d
from residua.layers.probabilities import PROBABILITIES
from residua.layers.registry import LAYERS
from residua.layers.reshaping import Flatten, Reshape
from residua.layers.residual import Residual, SubsamplePad
from residua.layers.scaling import MultiplyConstant, ScaleShift
from residua.layers.sequential import Sequential
from residua.layers.transposed_convolution import TransposedConv2d
from residua.layers.upsampling import NearestUpsample2d

__all__ = [
    "GELU",
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
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SubsamplePad",
    "Tanh",
    "Threshold",
    "TransposedConv2d",
    "ZeroPad2d",
]
