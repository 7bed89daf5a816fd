"""Facts in memory, and the rules that keep every proxy's view up to date at the cost of the change."""
