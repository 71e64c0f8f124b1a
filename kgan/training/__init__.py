"""How a model learns: the step, the players, and what keeps a run whole."""
