"""Whether variables may change in place."""

from kgan.backend.native import private

in_stateless_scope = private("keras.src.backend.common.stateless_scope", "in_stateless_scope")
if in_stateless_scope is None:

    def in_stateless_scope():
        """Always: what is not known is taken for the careful case."""
        return True
