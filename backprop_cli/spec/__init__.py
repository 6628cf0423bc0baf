"""From what users write, YAML text, to a valid :class:`~backprop_cli.spec.schema.NetworkSpec` with positions."""
