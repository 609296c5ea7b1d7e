"""`python -m residua.bench` is `residua bench`, run in this process without importing the command line."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv[1:1] = ["bench"]
    runpy.run_module("residua", run_name="__main__", alter_sys=True)
