"""Whole pipelines, files to answers and files to a trained network, beside the scripts that people write.

The scripts of the other side, `pytorch_*`, are what a user of PyTorch and Pillow would write, each readable
from top to bottom. They run as programs of their own, `python -m residua.bench.pipelines.pytorch_predict`.
"""
