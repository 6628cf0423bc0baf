"""What the tool knows by name: functions, losses and layers, each one entry written in the users' own language."""
