"""What every engine must be able to compute; the rarer half is written here once for all.

May import: cores, engines, errors.
"""
