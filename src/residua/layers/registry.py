"""The table of layers: which classes a model file may name."""

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
from residua.layers.base import Layer
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
from residua.layers.reshaping import Flatten, Reshape
from residua.layers.residual import Residual, SubsamplePad
from residua.layers.scaling import MultiplyConstant, ScaleShift
from residua.layers.sequential import Sequential
from residua.layers.transposed_convolution import TransposedConv2d
from residua.layers.upsampling import NearestUpsample2d

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
    "GELU": GELU,
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
    "SiLU": SiLU,
    "Sigmoid": Sigmoid,
    "Softmax": Softmax,
    "SubsamplePad": SubsamplePad,
    "Tanh": Tanh,
    "Threshold": Threshold,
    "TransposedConv2d": TransposedConv2d,
    "ZeroPad2d": ZeroPad2d,
}
