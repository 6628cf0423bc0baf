"""How much a spec may ask for. Every limit ends in a message that names it; none is a matter of taste or format."""

from __future__ import annotations

TEXT_BYTES = 5_000_000  # of a spec's text
SLOW_CHARACTERS = 500_000  # of it outside plain lists of numbers, which are read a thousand times faster
NODES = 30_000  # values written one by one, plain lists of numbers not counted
DEPTH = 100  # lists and mappings inside each other
EXPANDED = 10_000_000  # numbers after aliases are put in
EQUATIONS = 1_000  # in one list, and as many layers
NAME = 200  # characters of a name
AXES = 8  # of one array
SIZE = 1_000_000  # of one axis
NUMBERS = 10_000_000  # in one network: inputs, targets and parameters together
ARRAY = 50_000_000  # numbers in an array without a name, on the way to a quantity
