"""The verbs in Python: what the command line calls, and what a program or a notebook calls."""

from residua.api.compare import compare
from residua.api.data import augment_sheet, check_data
from residua.api.explain import Explanations, explain
from residua.api.inspect import calibrate, curves, find_rate, inside, mistakes
from residua.api.joined import ensemble, reconstruct
from residua.api.models import TrainResult, evaluate, import_weights, iterate_predictions, predict, train
from residua.api.report import report

__all__ = [
    "Explanations",
    "TrainResult",
    "augment_sheet",
    "calibrate",
    "check_data",
    "compare",
    "curves",
    "ensemble",
    "evaluate",
    "explain",
    "find_rate",
    "import_weights",
    "inside",
    "iterate_predictions",
    "mistakes",
    "predict",
    "reconstruct",
    "report",
    "train",
]
