"""Training: from variables and pictures to a run folder.

May import: config, cores, data, engines, errors, files, layers, models, progress, variables.

In the order of a run: `train.py` opens the data; `pretrained.py` loads what `--from` or `--weights` name;
`option_defaults.py` gives open options the recipe's values; `initialization.py` makes the network and its
first variables; `task_setup.py` puts all of it into a `task.py`. `loop.py` runs the epochs: `phases.py`
says what each trains (`freezing.py`, on features of `feature_cache.py` where a base is frozen), `step.py`
is one step with its `losses.py` and `optimizers.py` at the rate of `schedules.py`, `inference.py`
validates, and `checkpoint.py`, `run_folder.py`, `layer_statistics.py` and `progress.py` write down what
happened.

Beside it: `array_training.py` trains on arrays, `learning_rate_finder.py` looks for a rate, `warm_up.py`
compiles.
"""
