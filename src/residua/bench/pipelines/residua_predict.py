"""residua's side of naming what is in photographs, without its start: what `residua predict --csv` does.

python -m residua.bench.pipelines.residua_predict MODEL FOLDER OUTPUT THREADS ENGINE
"""

from __future__ import annotations

import sys
import time

from residua.config import PredictConfig
from residua.data.pictures.files import name_pictures
from residua.insight.prediction.numbers import predict_files
from residua.insight.prediction.text import write_csv
from residua.models.model_file import load_model


def main(model: str, folder: str, output: str, threads: int, engine: str) -> None:
    """Predict every picture of the folder."""
    loaded = load_model(model)
    config = PredictConfig(threads=threads, engine=engine)  # type: ignore[arg-type]
    began = time.perf_counter()
    with open(output, "w", newline="", encoding="utf-8") as out:
        write_csv(predict_files(loaded, name_pictures([folder]), config), out, config.top)
    print(f"inside {time.perf_counter() - began}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
