"""From formulas to numbers: the lowering to NumPy, the compiled program and its trace."""
