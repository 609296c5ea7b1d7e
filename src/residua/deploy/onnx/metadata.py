"""What a file says of itself: classes, preprocessing to the letter, calibration, figures, origin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from residua.data.preprocessing import Preprocessing
from residua.deploy.onnx.network import IMAGES, LOGITS, PROBABILITIES_OUT
from residua.files.checksums import file_sha256
from residua.files.strict_json import parse_json
from residua.insight.calibration.numbers import coverage_at
from residua.models.calibration import Calibration
from residua.models.model_file import Model
from residua.training.environment import package_versions

KEY = "residua.model"
FORMAT = 1
ACCURACIES = (0.9, 0.95, 0.98, 0.99, 0.995)  # shares of right answers that thresholds are told for
TESTED = ("pictures", "correct", "accuracy", "interval")
# What a stranger may know of the training; where data lay on somebody's disk is not among it.
_TOLD = "kind size validation test groups region seed fingerprint method at versions parameters"
TOLD = tuple(_TOLD.split())
NAMED = ("data", "base", "imported_from")


def describe_model(model: Model) -> dict[str, Any]:
    """All that there is to know for whoever has only the exported file; plain JSON types."""
    known = model.training
    training = {name: known[name] for name in TOLD if known.get(name) is not None}
    training |= {name: Path(known[name]).name for name in NAMED if known.get(name) is not None}
    if "members" in known:
        training["members"] = [member.get("name") for member in known["members"]]
    return {
        "format": FORMAT,
        "name": model.name,
        "classes": list(model.classes),
        "input": describe_input(model.preprocessing),
        "outputs": {
            PROBABILITIES_OUT: "(N, classes) float32, summing to one, the temperature applied",
            LOGITS: "(N, classes) float32, of which softmax makes the probabilities",
        },
        "calibration": None if model.calibration is None else model.calibration.to_dict(),
        "reject_below": reject_thresholds(model.calibration),
        "test": read_test(model.file)[0],
        "training": training,
        "versions": package_versions(),
        "source": describe_source(model.file),
    }


def describe_input(shape: Preprocessing) -> dict[str, Any]:
    """How a picture file becomes what the graph takes, and what the graph itself does with it."""
    tall, wide = shape.reading
    height, width = shape.stored
    rgb = shape.channels == 3
    steps = [
        "the first frame; turned as its EXIF orientation says; transparency laid on white",
        f"converted to {'RGB' if rgb else 'grey (ITU-R 601: 0.299 R + 0.587 G + 0.114 B)'} of 8 bits, "
        "by its colour profile to sRGB where it has one",
        f"a JPEG whose shorter side has {4 * max(tall, wide)} pixels or more is decoded at 1/2, 1/4 or 1/8 "
        f"of its size (DCT scaling), the least that has sides of {2 * max(tall, wide)} pixels or more",
        f"the largest part in its middle with sides as {wide} to {tall}, resized to {wide}x{tall} pixels "
        "(width x height) with Pillow's BILINEAR: a triangle filter, widened when shrinking (antialiased)",
    ]
    if (tall, wide) != (height, width):
        steps.append(f"the middle {width}x{height} of it")
    return {
        "name": IMAGES,
        "type": "uint8, 0 to 255",
        "shape": ["N", height, width, shape.channels],
        "layout": "NHWC",
        "colours": "RGB" if rgb else "grey",
        "resize_to": [tall, wide],
        "crop_to": [height, width],
        "resampling": "Pillow BILINEAR",
        "steps": steps,
        "inside": {
            "order": shape.order if rgb else "grey",
            "scale": [1 / (255 * std) for std in shape.std],
            "mean": list(shape.mean),
            "std": list(shape.std),
            "seen": [shape.height, shape.width],
            "formula": "(pixel / 255 - mean) / std, per channel in this order",
        },
    }


def reject_thresholds(calibration: Calibration | None) -> dict[str, dict[str, Any]]:
    """{share of right answers: the probability below which to say 'not sure' for it, and on how many}."""
    if calibration is None:
        return {}
    entries = {str(accuracy): coverage_at(calibration, accuracy) for accuracy in ACCURACIES}
    pictures = {"pictures": calibration.pictures}
    return {name: vars(entry) | pictures for name, entry in entries.items() if entry is not None}


def read_test(file: Path | None) -> tuple[dict[str, Any] | None, Any]:
    """The accuracy on the test split as the run's end measured it, with its interval; the confusion matrix.

    The matrix is as it was read. None and None where nothing measured them.
    """
    if file is None or file.name != "best.safetensors":
        return None, None
    try:
        found = parse_json(file.with_name("test.json").read_bytes())
        figures = {name: found[name] for name in TESTED}
        figures = {"data": Path(found["data"]).name, "split": found["split"], **figures}
        return figures, found.get("confusion")
    except (OSError, ValueError, TypeError, KeyError):
        return None, None


def describe_source(file: Path | None) -> dict[str, Any] | None:
    """The model file that it was made of, by name and content."""
    return None if file is None else {"file": file.name, "sha256": file_sha256(file)}


def properties(description: Mapping[str, Any], shape: Preprocessing) -> dict[str, str]:
    """The file's properties: residua's own, those that Ultralytics began, and ONNX's for pictures."""
    names = {str(index): name for index, name in enumerate(description["classes"])}
    rgb = shape.channels == 3
    return {
        KEY: json.dumps(description, ensure_ascii=False),
        "names": json.dumps(names, ensure_ascii=False),
        "imgsz": json.dumps(list(shape.stored)),
        "task": "classify",
        "Image.BitmapPixelFormat": "Rgb8" if rgb else "Gray8",
        "Image.ColorSpaceGamma": "SRGB",
        "Image.NominalPixelRange": "NominalRange_0_255",
    }
