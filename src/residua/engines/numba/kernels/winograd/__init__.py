"""Winograd's convolutions: 3x3, with a stride of 1 or 2."""
