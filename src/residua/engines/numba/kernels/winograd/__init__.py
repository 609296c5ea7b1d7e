"""Winograd's convolutions: 3x3, with a stride of 1 or 2, by a quarter or half of the multiplications.

Chosen for 3x3 kernels over whole vectors of channels: `forward` and `backward` go picture by picture while
the weights stay in a core's cache, `many_channels` takes the whole batch where they outgrow it.
"""
