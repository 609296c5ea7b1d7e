"""The verbs in Python: what the command line calls, and what a program or a notebook calls.

May import: bulk, config, cores, data, deploy, engines, errors, files, insight, models, progress, sweeps,
training.
"""

from residua.api.augment import augment_sheet
from residua.api.calibrate import calibrate
from residua.api.check import check_data
from residua.api.compare import compare
from residua.api.curves import curves
from residua.api.ensemble import ensemble, ensemble_file
from residua.api.evaluate import evaluate, evaluate_in_parts, measure_in_parts
from residua.api.explain import Explanations, explain
from residua.api.export import export
from residua.api.find_rate import find_rate
from residua.api.fool import class_pictures, fool, fool_from_noise, robustness
from residua.api.import_ import import_weights
from residua.api.inside import inside
from residua.api.mistakes import mistakes
from residua.api.page import page
from residua.api.predict import answer_in_parts, iterate_predictions, predict, predict_in_parts
from residua.api.reconstruct import reconstruct
from residua.api.report import report
from residua.api.sweep import sweep
from residua.api.train import TrainResult, train

__all__ = [
    "Explanations",
    "TrainResult",
    "answer_in_parts",
    "augment_sheet",
    "calibrate",
    "check_data",
    "class_pictures",
    "compare",
    "curves",
    "ensemble",
    "ensemble_file",
    "evaluate",
    "evaluate_in_parts",
    "explain",
    "export",
    "find_rate",
    "fool",
    "fool_from_noise",
    "import_weights",
    "inside",
    "iterate_predictions",
    "measure_in_parts",
    "mistakes",
    "page",
    "predict",
    "predict_in_parts",
    "reconstruct",
    "report",
    "robustness",
    "sweep",
    "train",
]
