"""What augmentation does to training pictures, on a sheet: before, and after in several epochs.

The variations themselves are `residua.data.augmentation`.
"""
