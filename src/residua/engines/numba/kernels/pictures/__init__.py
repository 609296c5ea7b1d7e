"""Pictures and gradients as kernels load and store them, and batches of pixels."""
