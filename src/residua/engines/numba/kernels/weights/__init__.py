"""Convolution weights transformed and packed, and their gradients added up."""
