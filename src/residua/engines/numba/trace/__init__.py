"""A step recorded while it runs, and replayed."""
