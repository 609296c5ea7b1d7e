"""The reference: complete, short, in float32 or float64.

May import: cores, engines.vocabulary, errors.
"""
