"""A mesh on one machine: the command that shows it."""
