"""Convolutions of gathered windows (im2col): one matrix product of many.

Chosen for large kernels, and for strides that Winograd's way does not pay for, over many channels and some
pictures.
"""
