"""Winograd's convolutions: 3x3, with a stride of 1 or 2, 2x2 and 5x5, by a fifth to half of the products.

Chosen over whole vectors of channels. 3x3: `forward` and `backward` go picture by picture while the weights
stay in a core's cache, `many_channels` takes the whole batch where they outgrow it. Others (`two_taps`,
`five_taps`) go as `many_channels` does, some pictures at a time.
"""
