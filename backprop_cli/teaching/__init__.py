"""What to say about a derivation: the walkthrough."""
