"""Every option of every verb, and the only place where a default is written.

May import: errors, files.

The sections are flat to the person who uses them: `--rate 0.1` on the command line, `rate = 0.1` in a
TOML file (under its section or not) and `rate=0.1` in Python all set `TrainConfig.optimizer.rate`.
A default of None means that the data set's card decides (see `residua.data.DATASETS`).
"""

from residua.config.augment import SheetConfig, SheetOptions
from residua.config.bench import BenchConfig
from residua.config.calibrate import CalibrateConfig
from residua.config.check import CheckConfig
from residua.config.compare import CompareConfig
from residua.config.curves import CurvesConfig
from residua.config.ensemble import EnsembleConfig
from residua.config.evaluate import EvaluateConfig, EvaluatePartsConfig
from residua.config.experiment import ExperimentConfig
from residua.config.explain import ExplainConfig
from residua.config.export import ExportConfig
from residua.config.find_rate import FindRateConfig, FindRateOptions
from residua.config.fool import FoolConfig
from residua.config.import_ import ImportConfig
from residua.config.inside import InsideConfig
from residua.config.mistakes import MistakesConfig
from residua.config.page import PageConfig
from residua.config.parts import PartsConfig
from residua.config.predict import PredictConfig, PredictPartsConfig
from residua.config.reconstruct import ReconstructConfig
from residua.config.report import ReportConfig
from residua.config.serve import ServeConfig
from residua.config.shared import EngineName
from residua.config.sweep import SweepConfig, SweepFileConfig
from residua.config.train import (
    DataOptions,
    ModelOptions,
    OptimizerOptions,
    RunOptions,
    ScheduleOptions,
    TrainConfig,
    TransferOptions,
)

__all__ = [
    "BenchConfig",
    "CalibrateConfig",
    "CheckConfig",
    "CompareConfig",
    "CurvesConfig",
    "DataOptions",
    "EngineName",
    "EnsembleConfig",
    "EvaluateConfig",
    "EvaluatePartsConfig",
    "ExperimentConfig",
    "ExplainConfig",
    "ExportConfig",
    "FindRateConfig",
    "FindRateOptions",
    "FoolConfig",
    "ImportConfig",
    "InsideConfig",
    "MistakesConfig",
    "ModelOptions",
    "OptimizerOptions",
    "PageConfig",
    "PartsConfig",
    "PredictConfig",
    "PredictPartsConfig",
    "ReconstructConfig",
    "ReportConfig",
    "RunOptions",
    "ScheduleOptions",
    "ServeConfig",
    "SheetConfig",
    "SheetOptions",
    "SweepConfig",
    "SweepFileConfig",
    "TrainConfig",
    "TransferOptions",
]
