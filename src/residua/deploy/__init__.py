"""Deploy: a trained model leaves the workshop, for programs that know nothing of residua.

May import: config, cores, data, engines, errors, files, insight, layers, models, training, variables.
"""
