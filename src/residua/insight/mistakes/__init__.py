"""Where a model errs: its worst mistakes, confused classes, labels that may be wrong.

`label_errors` is confident learning.
"""
