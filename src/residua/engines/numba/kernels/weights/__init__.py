"""Convolution weights transformed and packed, and their gradients added up.

`winograd` for Winograd's way, `packing` for the others; `gradient` adds up what the parts have found.
"""
