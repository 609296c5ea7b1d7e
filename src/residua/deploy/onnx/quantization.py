"""Eight bits: weights and maps as whole numbers with a scale, fitted on pictures (static, per channel).

ONNX Runtime's quantiser writes the pairs of QuantizeLinear and DequantizeLinear. Jacob et al. 2018,
"Quantization and training of neural networks for efficient integer-arithmetic-only inference", arXiv
1712.05877, section 2.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from residua.data.pictures.selection import Images
from residua.deploy.onnx.messages import IR_VERSIONS, Node
from residua.deploy.onnx.network import IMAGES, Exported
from residua.errors import ResiduaError, one_line

BATCH = 32
# What is worth it, and what passes whole numbers on between.
OPERATORS = {
    *("Conv", "ConvTranspose", "Gemm", "Add", "Relu", "LeakyRelu", "MaxPool", "AveragePool"),
    *("GlobalAveragePool", "Concat", "Split", "Pad", "Slice", "Resize", "Transpose", "Reshape"),
}


def quantize(exported: Exported, images: Images, metadata: Mapping[str, str]) -> bytes:
    """The file with 8-bit weights and maps, whose ranges are those on `images` (N, H, W, C) uint8.

    Weights take 7 of the 8 bits: processors without 8-bit dot products add pairs in 16 bits, which would run
    over. Raises ResiduaError where the quantiser fails.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder, _without_advice():
        target = Path(folder) / "model.onnx"
        try:
            quantize_static(
                onnx.load_from_string(exported.content),
                target,
                _reader(images),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=sorted(OPERATORS),
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=sorted(kept_float(exported.nodes)),
            )
            model = onnx.load(target)
        except Exception as error:  # of any kind, out of a library with models of any kind
            raise ResiduaError(f"onnxruntime cannot quantise it: {one_line(error, 300)}") from None
    model.ir_version = IR_VERSIONS[model.opset_import[0].version]
    model.producer_name, model.producer_version = "residua", version("residua")
    del model.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    content: bytes = model.SerializeToString()
    return content


def kept_float(nodes: Sequence[Node]) -> set[str]:
    """Nodes that stay in float32: the preprocessing, and all from a softmax on: probabilities."""
    kept: set[str] = set()
    floats: set[str] = set()
    for node in nodes:
        if node.operator == "Softmax" or floats.intersection(node.inputs):
            floats.update(node.outputs)
            kept.add(node.name)
        elif node.name.startswith("preprocessing."):
            kept.add(node.name)
    return kept


def _reader(images: Images) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Batches of pictures, once."""

        def __init__(self) -> None:
            self.starts = iter(range(0, len(images), BATCH))

        def get_next(self) -> dict[str, Any] | None:
            """The next batch, None at the end."""
            start = next(self.starts, None)
            if start is None:
                return None
            return {IMAGES: np.ascontiguousarray(images[start : start + BATCH])}

    return Reader()


@contextmanager
def _without_advice() -> Iterator[None]:
    """The quantiser advises preparing the graph with itself; ours is prepared."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
