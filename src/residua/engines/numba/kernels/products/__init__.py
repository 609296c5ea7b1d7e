"""Matrix products: the micro-kernel that all convolutions end in."""
