"""What several capabilities share: plotting, sheets of pictures, scores and gradients, classes by name."""
