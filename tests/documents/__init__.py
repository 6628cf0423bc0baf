"""Documents and the names in them."""
