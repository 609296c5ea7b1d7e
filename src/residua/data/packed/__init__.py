"""Pictures inside of files that hold many, tar, zip and Parquet: read one by one, never unpacked."""
