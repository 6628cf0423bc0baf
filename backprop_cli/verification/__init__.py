"""Gradients checked by oracles that know neither the derivation nor the compiled program."""
