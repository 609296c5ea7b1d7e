"""Insight: what a trained network is worth, in numbers and pictures.

May import: config, cores, data, engines, errors, files, layers, models, training, variables.
"""
