"""Everything that kgan knows of JAX."""
