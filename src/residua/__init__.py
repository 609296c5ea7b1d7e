"""Residual networks from scratch: train, evaluate and use picture classifiers on an ordinary computer."""
