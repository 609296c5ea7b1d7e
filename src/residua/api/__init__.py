"""The verbs in Python: what the command line calls, and what a program or a notebook calls.

May import: config, cores, data, engines, errors, files, insight, models, training.
"""

from residua.api.compare import compare
from residua.api.data import augment_sheet, check_data
from residua.api.explain import Explanations, explain
from residua.api.fool import class_pictures, fool, fool_from_noise, robustness
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
    "class_pictures",
    "compare",
    "curves",
    "ensemble",
    "evaluate",
    "explain",
    "find_rate",
    "fool",
    "fool_from_noise",
    "import_weights",
    "inside",
    "iterate_predictions",
    "mistakes",
    "predict",
    "reconstruct",
    "report",
    "robustness",
    "train",
]
