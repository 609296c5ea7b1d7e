"""`python -m residua` is `residua`."""

from residua.cli import main

main()
