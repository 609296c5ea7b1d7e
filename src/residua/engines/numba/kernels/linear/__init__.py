"""Linear layers, softmax and its loss.

Chosen for float32 features of two dimensions.
"""
