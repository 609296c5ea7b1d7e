"""Which way a convolution is computed, and how the work is cut up."""
