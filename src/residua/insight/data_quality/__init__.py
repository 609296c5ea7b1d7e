"""What a check of a data set came to, drawn and in words.

The numbers are `residua.data.quality.check`.
"""
