"""Exercises from a network: what is asked, variants with numbers of their own, keys, and grading."""
