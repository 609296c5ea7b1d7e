"""Under which names others publish the weights of our networks: torchvision's, and Gluon's for SqueezeNet."""

from __future__ import annotations

import re
from collections.abc import Iterable

from residua.layers import Conv2d, ConvNorm, Flatten, GroupedConv2d, Linear, MaxPool2d, Sequential
from residua.layers.parameters import ZeroGenerator
from residua.variables import flatten

# Residual networks, as patterns over whole names; the same in torchvision and in most other places.
_RESNET = (
    (r"conv1\.(.*)", r"stem.conv.\1"),
    (r"bn1\.(.*)", r"stem.norm.\1"),
    (r"layer(\d+)\.(\d+)\.conv(\d)\.(.*)", r"stage\1.\2.body.conv\3.conv.\4"),
    (r"layer(\d+)\.(\d+)\.bn(\d)\.(.*)", r"stage\1.\2.body.conv\3.norm.\4"),
    (r"layer(\d+)\.(\d+)\.(?:shortcut|downsample)\.0\.(.*)", r"stage\1.\2.shortcut.conv.\3"),
    (r"layer(\d+)\.(\d+)\.(?:shortcut|downsample)\.1\.(.*)", r"stage\1.\2.shortcut.norm.\3"),
    (r"(?:linear|fc|last_linear|classifier|head\.fc|output|logits)\.(weight|bias)", r"head.\1"),
)

# What programs put in front of every name when they keep the network as a part of something larger.
_WRAPPERS = """
module model models _orig_mod backbone encoder net network _model _module _network base_model base
base_network resnet vgg alexnet squeezenet cnn body trunk core student teacher ema ema_model
model_ema averaged_model encoder_q encoder_k online_encoder target_encoder online target visual
image_encoder img_encoder
feature_extractor extractor state_dict params classifier_model wrapped inner _forward_module n_averaged
"""
WRAPPERS = frozenset(_WRAPPERS.split())
# With what the names of networks here, and of torchvision's, begin.
_OWN = re.compile(
    r"(?:conv\d+(?:_\d+)?|bn\d+|layer\d+|linear\w*|fc\w*|features|classifier|stem|stage\d+|head|hidden\d*)\b.*"
)


def unwrap_names(names: Iterable[str]) -> dict[str, str]:
    """{name: the name without what wrappers put in front of it}; some may then be equal.

    Known wrappers (`module.`, `_orig_mod.`, `backbone.`, ...) go wherever they stand first, others where all
    names begin with them.
    """
    plain = {name: _unwrap(name) for name in names}
    while len(plain) > 1 and len({name.partition(".")[0] for name in plain.values()}) == 1:
        if any(_OWN.fullmatch(name) or name.count(".") < 2 for name in plain.values()):
            break
        plain = {name: _unwrap(short.partition(".")[2]) for name, short in plain.items()}
    return plain


def _unwrap(name: str) -> str:
    while "." in name and name.partition(".")[0] in WRAPPERS and name.partition(".")[2]:
        name = name.partition(".")[2]
    return name


# Indices of the fully connected layers in torchvision's "classifier", dropout and ReLU counted.
_CLASSIFIER = {"vgg": (0, 3, 6), "alexnet": (1, 4, 6)}


def variable_paths(names: Iterable[str], network: Sequential) -> dict[str, str]:
    """{published name: the path of the variable that it stands for in this network, or itself}.

    torchvision numbers the layers of VGG, AlexNet and SqueezeNet ("features.3.weight"), counting ReLU and
    pooling; Gluon numbers SqueezeNet's convolutions ("squeezenet0_conv3_weight").
    """
    layers = numbered_layers(network)
    weights = [path for path in flatten(network.init(ZeroGenerator())) if path.endswith(".weight")]
    in_order = [path.removesuffix(".weight") for path in weights]
    return {name: _variable_path(name, layers, in_order) for name in names}


def _variable_path(name: str, layers: dict[str, str], in_order: list[str]) -> str:
    for pattern, replacement in _RESNET:
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    if match := re.fullmatch(r"squeezenet\d*_conv(\d+)_(weight|bias)", name):
        number = int(match[1])
        return f"{in_order[number]}.{match[2]}" if number < len(in_order) else name
    match = re.fullmatch(r"((?:features|classifier)\.\d+)\.(.*)", name)
    if match is None or match[1] not in layers:
        return name
    inner = re.sub(r"^(expand\dx\d)", r"expand.\1", match[2])
    return f"{layers[match[1]]}.{inner}"


def numbered_layers(network: Sequential) -> dict[str, str]:
    """{"features.N" or "classifier.N" of torchvision: the name of the layer here}."""
    table, index = {}, 0
    linear = [name for name, layer in network.layers.items() if isinstance(layer, Linear)]
    for name, layer in network.layers.items():
        if isinstance(layer, Flatten) or name == "head":
            break
        if isinstance(layer, ConvNorm):
            table[f"features.{index}"], table[f"features.{index + 1}"] = f"{name}.conv", f"{name}.norm"
            index += 3
        elif isinstance(layer, Conv2d | GroupedConv2d):
            table[f"features.{index}"] = name
            index += 2
        elif isinstance(layer, MaxPool2d | Sequential):
            if isinstance(layer, Sequential):
                table[f"features.{index}"] = name
            index += 1
    if not linear:
        return table | {"classifier.1": "head"}
    # AlexNet's classifier begins with dropout.
    first = next(iter(network.layers.values()))
    kind = "alexnet" if isinstance(first, Conv2d) and first.kernel == 11 else "vgg"
    return table | {
        f"classifier.{number}": name for number, name in zip(_CLASSIFIER[kind], linear, strict=False)
    }
