"""What capsules know: reconstructions, and what each number of a class capsule does."""
