"""Sweeps: options of training tried one set after the other, by workers any of which may be killed.

May import: config, cores, engines, errors, files, insight, training.

`plan.py` reads the file of a sweep, `space.py` the options that vary in it. A sweep is a folder: `folder.py`
says what lies where, `study.py` keeps Optuna's journal in it, `sampler.py` chooses trials and `halving.py`
ends some early. `owners.py` says who has a trial and whether they still live, `trial.py` trains one,
`work.py` takes one after the other; `workers.py` has processes do so side by side, `worker.py` is one of
these, and `results.py` says what came of it.
"""
