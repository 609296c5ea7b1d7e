"""Insight: what a trained network is worth, in numbers and pictures.

A folder for each capability, inside it always the same: `numbers` (what is computed), `figure` (what is
drawn) and `text` (what is said in words); what several capabilities share is in `shared`.

May import: config, cores, data, engines, errors, files, layers, models, progress, training, variables.
"""
