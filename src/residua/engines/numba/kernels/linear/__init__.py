"""Linear layers, softmax and its loss."""
