"""Training: the step, the players, checkpoints and checks."""
