"""Whether a model is as often right as it says, and when it should say that it is not sure."""
