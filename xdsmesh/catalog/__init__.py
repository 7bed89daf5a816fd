"""Typed meaning over the store: keys, encodings, decisions, and the feed of facts."""
