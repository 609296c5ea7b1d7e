"""Insight: what a trained network is worth, in numbers and pictures."""
