"""The language of equations: its syntax tree and its grammar."""
