"""Experiments: published results repeated, what came out here beside what was published.

May import: api, config, data, errors, files, insight, models, training.

`recipe.py` reads a file of `recipes/`, or anybody's own, and `catalogue.py` finds it. `run.py` goes through
an experiment: `folders.py` says what of it is done already, `training_runs.py` trains the rest,
`ensembles.py` joins what was trained and `looks.py` looks at it. `results.py` gathers what came of it with
`statistics.py`, `joining.py` puts those of several machines together; `table.py` and `figure.py` show them,
`page.py` makes docs/results.md of them, and `verification.py` asks the models of kept results once more.
"""
