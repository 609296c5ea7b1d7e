"""What several capabilities share: plotting, gradients by the picture, classes by name."""
