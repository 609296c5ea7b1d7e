"""Pictures and gradients as kernels load and store them, and batches of pixels.

`arguments` is the block of every convolution's kernel; `load` and `store` finish pictures and gradients on
the way; `shape` is a convolution's geometry on the host.
"""
