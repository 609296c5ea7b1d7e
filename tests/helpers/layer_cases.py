"""Layers of every kind, and for each the shape of a batch: what their contract is held on."""

from __future__ import annotations

from residua.layers import (
    GELU,
    Add,
    AveragePool2d,
    BatchNorm1d,
    BatchNorm2d,
    CapsuleNetwork,
    Concatenate,
    Conv2d,
    ConvNorm,
    DepthwiseConv2d,
    DigitCapsules,
    Dropout,
    Dropout2d,
    Ensemble,
    Flatten,
    GlobalAveragePool,
    GroupedConv2d,
    Identity,
    LeakyReLU,
    Lengths,
    Linear,
    LocalResponseNorm,
    Logarithm,
    LogSoftmax,
    MaxPool2d,
    MultiplyConstant,
    NearestUpsample2d,
    Parallel,
    PrimaryCapsules,
    ReflectionPad2d,
    ReLU,
    ReplicationPad2d,
    Reshape,
    Residual,
    ScaleShift,
    Sequential,
    Shares,
    Sigmoid,
    SiLU,
    Softmax,
    SubsamplePad,
    Tanh,
    Threshold,
    TransposedConv2d,
    ZeroPad2d,
)


def _block(before, after, stride, shortcut):
    first, second = ConvNorm(Conv2d(before, after, stride=stride)), ConvNorm(Conv2d(after, after), relu=False)
    return Residual(Sequential({"conv1": first, "conv2": second}), shortcut)


def _capsules(channels, decoder=None):
    """For pictures (5, 4): 3 classes in capsules of 2 numbers."""
    primary, digit = PrimaryCapsules(channels, 1, 2, 2, 1), DigitCapsules(12, 2, 3, 2)
    return CapsuleNetwork({"primary": primary, "digit": digit}, decoder)


def _logits(channels):
    convolution = ConvNorm(Conv2d(2, channels))
    return Sequential({"conv": convolution, "pool": GlobalAveragePool(), "head": Linear(channels, 3)})


CASES = {
    "Add": [
        (
            Add({"a": Conv2d(2, 3), "b": Sequential({"norm": BatchNorm2d(2), "conv": Conv2d(2, 3)})}),
            (2, 4, 3, 2),
        ),
        (Add({"a": Identity()}), (3, 4)),
        (Add({"a": Identity(), "b": Linear(4, 4), "c": Dropout(0.3)}), (3, 4)),
    ],
    "AveragePool2d": [
        (AveragePool2d(3, 2, 1, count_padding=False), (2, 7, 5, 2)),
        (AveragePool2d(4, 3, 2, count_padding=False), (1, 5, 8, 3)),
        (AveragePool2d(), (2, 6, 4, 3)),
        (AveragePool2d(3, 2, 1), (2, 7, 5, 2)),
        (AveragePool2d(2, 3), (1, 8, 7, 1)),
    ],
    "BatchNorm1d": [
        (BatchNorm1d(3), (5, 3)),
        (BatchNorm1d(2, relu=True), (7, 2)),
        (BatchNorm1d(1, momentum=0.5, eps=1e-2), (2, 1)),
        (BatchNorm1d(4, scale=False), (6, 4)),
    ],
    "BatchNorm2d": [
        (BatchNorm2d(3), (3, 5, 4, 3)),
        (BatchNorm2d(3, relu=True), (3, 4, 4, 3)),
        (BatchNorm2d(2, momentum=1.0, eps=1e-3), (1, 3, 3, 2)),
        (BatchNorm2d(4), (5, 1, 1, 4)),
        (BatchNorm2d(3, momentum=0.4, eps=1e-12, scale=False), (3, 5, 4, 3)),
        (BatchNorm2d(2, relu=True, shift=False), (4, 3, 5, 2)),
        (BatchNorm2d(17, scale=False, shift=False), (2, 4, 3, 17)),
    ],
    "CapsuleNetwork": [
        (_capsules(2), (3, 5, 4, 2)),
        (_capsules(1, Sequential({"hidden": Linear(6, 20), "shape": Reshape((5, 4, 1))})), (3, 5, 4, 1)),
    ],
    "Concatenate": [
        (Concatenate({"a": Conv2d(2, 3, bias=True, relu=True), "b": Conv2d(2, 1, 1, 1, 0)}), (2, 4, 3, 2)),
        (Concatenate({"a": Identity(), "b": Linear(4, 2), "c": BatchNorm1d(4)}), (5, 4)),
        (
            Concatenate({"a": Sequential({"conv": ConvNorm(Conv2d(2, 2)), "drop": Dropout2d(0.4)})}),
            (3, 3, 3, 2),
        ),
    ],
    "Conv2d": [
        (Conv2d(3, 4), (2, 5, 4, 3)),
        (Conv2d(1, 2, 1, 1, 0, bias=True), (3, 1, 1, 1)),
        (Conv2d(2, 3, 5, 2, 2, bias=True), (2, 7, 6, 2)),
        (Conv2d(2, 3, 2, 3, 1), (1, 8, 5, 2)),
        (Conv2d(3, 2, 3, 1, 0, bias=True, relu=True), (2, 4, 5, 3)),
        (Conv2d(2, 2, 3, 1, 3), (1, 3, 2, 2)),
        (Conv2d(3, 24, 2, 1, 0, bias=True, fixed=True), (2, 6, 5, 3)),
        (Conv2d(2, 3, 3, 1, 0, fixed=True), (2, 5, 4, 2)),
        (Conv2d(2, 4, identity=True), (2, 5, 4, 2)),
    ],
    "ConvNorm": [
        (ConvNorm(Conv2d(2, 3)), (2, 5, 4, 2)),
        (ConvNorm(Conv2d(3, 4, 1, 2, 0), relu=False), (3, 5, 5, 3)),
        (ConvNorm(Conv2d(1, 2, 5, 1, 2), momentum=0.3, eps=1e-3), (2, 6, 5, 1)),
        (ConvNorm(Conv2d(2, 3), momentum=0.4, eps=1e-12, scale=False), (2, 5, 4, 2)),
        (ConvNorm(Conv2d(3, 2, 2, 1, 0), relu=False, scale=False, shift=False), (2, 5, 4, 3)),
    ],
    "DepthwiseConv2d": [
        (DepthwiseConv2d(3), (2, 5, 4, 3)),
        (DepthwiseConv2d(2, 5, 2, 2, bias=True), (2, 7, 6, 2)),
        (DepthwiseConv2d(4, 2, 3, 0, bias=True, relu=True), (1, 9, 7, 4)),
        (DepthwiseConv2d(1, 1, 2, 1), (2, 3, 4, 1)),
    ],
    "DigitCapsules": [
        (DigitCapsules(5, 3, 4, 2), (3, 5, 3)),
        (DigitCapsules(4, 2, 3, 5, 1), (2, 4, 2)),
        (DigitCapsules(1, 1, 2, 1, 6), (1, 1, 1)),
    ],
    "Dropout": [(Dropout(0.4), (3, 7)), (Dropout(0.1), (2, 3, 4, 2)), (Dropout(0.0), (2, 3))],
    "Dropout2d": [(Dropout2d(0.4), (3, 2, 3, 7)), (Dropout2d(0.0), (2, 3, 3, 2))],
    "Ensemble": [
        (Ensemble({"a": _logits(2), "b": _logits(3)}), (4, 5, 4, 2)),
        (Ensemble({"a": _logits(2), "b": _logits(3)}, "vote"), (4, 5, 4, 2)),
        (
            Ensemble(
                {"a": _logits(2), "b": Ensemble({"inner": _capsules(2)})},
                "weighted",
                (0.3, 0.7),
                ((1.5, 0.5), (0.2, 1.0)),
                ((0.1, 0.0), (0.0, 0.2)),
            ),
            (4, 5, 4, 2),
        ),
    ],
    "Flatten": [(Flatten(), (2, 3, 4, 2)), (Flatten(), (3, 5))],
    "GELU": [(GELU(), (3, 5, 4, 2)), (GELU(), (4, 6)), (GELU(), (2, 4, 3, 17))],
    "GlobalAveragePool": [(GlobalAveragePool(), (2, 3, 4, 5)), (GlobalAveragePool(), (1, 1, 1, 2))],
    "GroupedConv2d": [
        (GroupedConv2d(4, 6), (2, 5, 4, 4)),
        (GroupedConv2d(6, 3, 5, 2, 2, groups=3, bias=True), (2, 7, 6, 6)),
        (GroupedConv2d(4, 4, 2, 3, 0, groups=4, bias=True, relu=True), (1, 9, 7, 4)),
        (GroupedConv2d(2, 3, 1, 1, 0, groups=1), (2, 3, 4, 2)),
    ],
    "Identity": [(Identity(), (2, 3, 3, 2)), (Identity(), (2, 5))],
    "LeakyReLU": [(LeakyReLU(), (3, 5, 4, 2)), (LeakyReLU(0.3), (4, 6))],
    "Lengths": [(Lengths(), (3, 5, 3)), (Lengths(), (2, 1, 1)), (Lengths(), (2, 3, 2, 4))],
    "Linear": [(Linear(5, 3), (4, 5)), (Linear(4, 1, bias=False, gain=2.0), (1, 4))],
    "LocalResponseNorm": [
        (LocalResponseNorm(), (2, 3, 4, 7)),
        (LocalResponseNorm(3, 0.5, 0.6, 1.0), (2, 3, 2, 5)),
        (LocalResponseNorm(4, 0.3, 1.5, 0.5), (3, 2, 2, 2)),
        (LocalResponseNorm(1, 0.3, 0.75, 0.5), (3, 6)),
    ],
    "Logarithm": [(Logarithm(), (4, 6)), (Logarithm(), (2, 3, 2, 5))],
    "LogSoftmax": [(LogSoftmax(), (4, 6)), (LogSoftmax(), (2, 3, 2, 5)), (LogSoftmax(), (3, 1))],
    "MaxPool2d": [
        (MaxPool2d(), (2, 6, 4, 3)),
        (MaxPool2d(3, 2, 1), (2, 7, 6, 2)),
        (MaxPool2d(3, 1, 1), (1, 4, 5, 2)),
        (MaxPool2d(2, 3), (2, 8, 7, 1)),
    ],
    "MultiplyConstant": [(MultiplyConstant(-1.7), (2, 3, 4, 2)), (MultiplyConstant(0.25), (3, 4))],
    "NearestUpsample2d": [(NearestUpsample2d(), (2, 3, 4, 2)), (NearestUpsample2d(3), (1, 2, 1, 3))],
    "Parallel": [
        (Parallel({"a": Conv2d(2, 3), "b": ConvNorm(Conv2d(2, 1))}, 4), (2, 4, 3, 4)),
        (Parallel({"a": Linear(2, 2), "b": Identity(), "c": BatchNorm1d(2)}, 6), (5, 6)),
    ],
    "PrimaryCapsules": [
        (PrimaryCapsules(2, 3, 4, 3, 2), (2, 7, 6, 2)),
        (PrimaryCapsules(1, 1, 2, 2, 1), (3, 2, 3, 1)),
    ],
    "ReLU": [(ReLU(), (3, 5, 4, 2)), (ReLU(), (4, 6))],
    "ReflectionPad2d": [
        (ReflectionPad2d(), (2, 2, 3, 2)),
        (ReflectionPad2d(3, 0, 2, 1), (2, 4, 3, 1)),
        (ReflectionPad2d(0, 0, 0, 0), (1, 1, 1, 1)),
    ],
    "ReplicationPad2d": [
        (ReplicationPad2d(), (2, 1, 3, 2)),
        (ReplicationPad2d(3, 0, 2, 1), (2, 2, 3, 1)),
    ],
    "Reshape": [
        (Reshape((2, 6)), (3, 2, 2, 3)),
        (Reshape((4, 1, 2)), (2, 8)),
    ],
    "Residual": [
        (_block(3, 3, 1, Identity()), (2, 5, 4, 3)),
        (_block(2, 5, 2, SubsamplePad(2, 5)), (2, 5, 5, 2)),
        (_block(2, 4, 2, ConvNorm(Conv2d(2, 4, 1, 2, 0), relu=False)), (3, 5, 4, 2)),
        (_block(2, 2, 1, None), (3, 4, 4, 2)),
    ],
    "ScaleShift": [(ScaleShift(3), (2, 3, 4, 3)), (ScaleShift(2, relu=True), (5, 2))],
    "Sequential": [
        (Sequential(), (2, 3)),
        (Sequential({"norm": BatchNorm2d(2), "relu": ReLU(), "flat": Flatten()}), (3, 3, 2, 2)),
        (Sequential({"a": Reshape((4, 4, 1)), "b": Conv2d(1, 2), "c": Reshape((32,))}), (2, 16)),
        (Sequential({"drop": Dropout(0.3), "layer": Linear(4, 3), "norm": BatchNorm1d(3)}), (5, 4)),
    ],
    "Shares": [(Shares(), (3, 5)), (Shares(), (2, 3, 4))],
    "SiLU": [(SiLU(), (3, 5, 4, 2)), (SiLU(), (4, 6)), (SiLU(), (2, 4, 3, 17))],
    "Sigmoid": [(Sigmoid(), (3, 5, 4, 2)), (Sigmoid(), (4, 6))],
    "Softmax": [(Softmax(), (4, 6)), (Softmax(), (2, 3, 2, 5))],
    "SubsamplePad": [(SubsamplePad(2, 5), (2, 5, 4, 2)), (SubsamplePad(3, 4, 3), (1, 7, 6, 3))],
    "Tanh": [(Tanh(), (3, 5, 4, 2)), (Tanh(), (4, 6))],
    "Threshold": [(Threshold(), (3, 5, 4, 2)), (Threshold(0.5, -1.5), (4, 6))],
    "TransposedConv2d": [
        (TransposedConv2d(3, 2), (2, 4, 3, 3)),
        (TransposedConv2d(2, 3, 3, 2, 1, 1, bias=True), (2, 3, 4, 2)),
        (TransposedConv2d(1, 2, 2, 2, 0, bias=True), (1, 3, 3, 1)),
        (TransposedConv2d(2, 2, 5, 3, 2, 2), (2, 3, 2, 2)),
        (TransposedConv2d(2, 1, 4, 2, 3), (2, 4, 4, 2)),
        (TransposedConv2d(2, 1, 1, 3, 0), (2, 2, 2, 2)),
    ],
    "ZeroPad2d": [(ZeroPad2d(), (2, 2, 3, 2)), (ZeroPad2d(3, 0, 2, 1), (2, 4, 3, 1))],
}
