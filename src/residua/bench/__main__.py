"""`python -m residua.bench` is `residua bench`: the command line takes over this process."""

import os
import sys

os.execv(sys.executable, [sys.executable, "-m", "residua", "bench", *sys.argv[1:]])
