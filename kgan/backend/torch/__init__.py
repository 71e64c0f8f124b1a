"""Everything that kgan knows of PyTorch."""
