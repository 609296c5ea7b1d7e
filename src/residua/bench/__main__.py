"""`python -m residua.bench` is `residua bench`."""

import sys

from residua.cli import main

main(["bench", *sys.argv[1:]])
