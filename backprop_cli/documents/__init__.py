"""What the tool has to say, as neutral documents: blocks that hold formulas and numbers, never markup."""
