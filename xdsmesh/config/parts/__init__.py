"""Objects that entries of several kinds hold, one file each."""
