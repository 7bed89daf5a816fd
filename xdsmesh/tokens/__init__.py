"""Tokens: which there are, making and deleting them, and the streams that were opened with them."""
