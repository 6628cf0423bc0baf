"""The one idea: a network is a list of equations in index notation, and its derivation is a second such list."""
