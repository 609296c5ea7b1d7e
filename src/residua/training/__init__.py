"""Training: from variables and pictures to a run folder.

May import: config, cores, data, engines, errors, files, layers, models, variables.
"""
