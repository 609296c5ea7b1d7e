"""What augmentation does to training pictures, on a sheet: before, and after in one epoch and the next.

The variations themselves are `residua.data.augmentation`.
"""
