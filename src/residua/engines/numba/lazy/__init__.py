"""Values that are finished when they are read: what flows between layers on this engine.

A layer never looks inside: it hands a value from one operation to the next. Here is what each kind is.

- `Pending` (`pending.py`): what a convolution with normalisation returns: the raw convolution, its
  `Normalization` (numbers per channel) and what is still to be done to it, which the next convolution does
  as it loads. A shortcut that is added stands in it as `skip`.
- `Padded`: a finished picture whose channels are padded by zeros.
- `Subsampled`: every stride-th pixel of another value, for a shortcut without weights.
- `Promise` (`promise.py`): a result that is computed when it is read. Backward, a convolution becomes a
  `BackwardJob`, run when one of its two results is read; so the sum with the shortcut's gradient, which is
  the first to read it, can be made inside the job.
- `DeferredConvolution`: a convolution that has not run, so that a shortcut can be added as it stores, or
  that it stores among the channels of others.
- `MaskedGradient` (`gradients.py`): the gradient by a Pending, with the mask of its ReLU applied and with
  the sums that its normalisation needs next.
- `SubsampledGradient`, `MeanGradient`: gradients that are zero at most pixels, or the same at all.

How one becomes another, on the way there and back:

    conv_norm ──> Pending ──relu, add_relu──> Pending ──the next conv_norm loads it──> Pending
                     │  └──subsample_pad──> Subsampled ──add_relu──> (skip of a Pending)
                     │  └──read by others──> Padded, array       (`materialize.flat`, `materialize.plain`)
    conv2d  ──> array, Padded; in a step DeferredConvolution ──add_relu──> Pending (already finished)
                                           └──concatenate──> (channels of an array)

    global_average_pool_backward ──> MeanGradient ──┐
    any other gradient ─────────────────────────────┴─relu_backward, conv_norm_backward──> MaskedGradient
    conv_norm_backward ──> Promise of dx ──add(shortcut's gradient), read──> MaskedGradient, Padded
                      └──> Promise of dweight ──read──> array
    subsample_pad_backward ──> SubsampledGradient ──add──> (inside the job of a Promise)

Inside the engine pictures lie with their channels padded by zeros to a multiple of `runtime.layout.LANES`
("flat"). `materialize.py` finishes values of any kind.
"""
