"""Labelled pictures out of packed files: WebDataset's tars, archives of folders, Parquet shards."""
