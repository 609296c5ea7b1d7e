"""Training: from variables and pictures to a run folder."""
