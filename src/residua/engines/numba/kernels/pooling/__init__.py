"""Maxima and means over windows, and the way back.

Chosen for every pooling of pictures in float32.
"""
