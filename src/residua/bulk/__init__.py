"""Pictures by the million: answered or measured in parts by workers any of which may be killed.

May import: config, cores, data, engines, errors, files, insight, models, progress, training.

`predicting.py` and `evaluating.py` are the two things that can be asked; each makes a `job.py` of it, and
`run.py` gives out parts until all are done.

A job is a folder, and only the process that gives out the parts writes into it. `manifest.py` fixes at the
start which pictures there are and what they are asked; `folder.py` says what lies where and which parts are
done, `rows.py` is what a part's file holds, and `joining.py` makes one table of them. `answering.py` answers
a part in whatever process it is called, `alone.py` finds the pictures that end a process by reading them in
one of their own, `silence.py` ends a process that stands still, and `measuring.py` adds up what answers are
worth. `local_workers.py` has processes of this machine do so, `dask_workers.py` those of a Dask cluster.
"""
