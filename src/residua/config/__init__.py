"""Every option of every verb, and the only place where a default is written.

May import: errors.

The sections are flat to the person who uses them: `--rate 0.1` on the command line, `rate = 0.1` in a
TOML file (under its section or not) and `rate=0.1` in Python all set `TrainConfig.optimizer.rate`.
A default of None means that the data set's card decides (see `residua.data.DATASETS`).
"""

from residua.config.compare import CompareConfig
from residua.config.explain import ExplainConfig
from residua.config.fool import FoolConfig
from residua.config.inspect import (
    CalibrateConfig,
    CurvesConfig,
    InsideConfig,
    MistakesConfig,
    SweepConfig,
    SweepOptions,
)
from residua.config.report import ReportConfig
from residua.config.training import (
    DataOptions,
    EngineName,
    ModelOptions,
    OptimizerOptions,
    RunOptions,
    ScheduleOptions,
    TrainConfig,
    TransferOptions,
)
from residua.config.verbs import (
    BenchConfig,
    CheckConfig,
    EnsembleConfig,
    EvaluateConfig,
    ImportConfig,
    PredictConfig,
    ReconstructConfig,
    SheetConfig,
    SheetOptions,
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
    "ExplainConfig",
    "FoolConfig",
    "ImportConfig",
    "InsideConfig",
    "MistakesConfig",
    "ModelOptions",
    "OptimizerOptions",
    "PredictConfig",
    "ReconstructConfig",
    "ReportConfig",
    "RunOptions",
    "ScheduleOptions",
    "SheetConfig",
    "SheetOptions",
    "SweepConfig",
    "SweepOptions",
    "TrainConfig",
    "TransferOptions",
]
