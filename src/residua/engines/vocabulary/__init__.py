"""What every engine must be able to compute: `core.Engine`, and the operations that are written once for all.

May import: cores, errors.
"""
