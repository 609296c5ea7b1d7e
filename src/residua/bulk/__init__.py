"""Bulk prediction: pictures by the million, answered in parts by workers any of which may be killed.

May import: config, cores, data, engines, errors, files, insight, models, progress, training.

A job is a folder, and only the process that gives out the parts writes into it. `manifest.py` fixes at the
start which pictures there are and what they are asked; `folder.py` says what lies where and which parts are
done, `rows.py` is what a part's file holds, and `joining.py` makes one table of them. `answering.py` answers
a part in whatever process it is called, `alone.py` finds the pictures that end a process by reading them in
one of their own. `local_workers.py` has processes of this machine do so, `dask_workers.py` those of a Dask
cluster; `run.py` gives out parts until all are done.
"""
