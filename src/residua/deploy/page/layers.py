"""The layers that the page's engine computes: those that are left of any of residua's once it is frozen."""

from __future__ import annotations

# As the files in `engine/` have them; a test compares.
_NAMES = """
    Add AveragePool2d CapsuleNetwork Concatenate Conv2d DepthwiseConv2d DigitCapsules Ensemble Flatten GELU
    GlobalAveragePool GroupedConv2d Identity LeakyReLU Lengths Linear LocalResponseNorm LogSoftmax Logarithm
    MaxPool2d MultiplyConstant NearestUpsample2d Parallel PrimaryCapsules ReLU ReflectionPad2d
    ReplicationPad2d Reshape Residual ScaleShift Sequential Shares SiLU Sigmoid Softmax SubsamplePad
    Tanh Threshold TransposedConv2d ZeroPad2d
"""
LAYERS_OF_PAGES = frozenset(_NAMES.split())
