"""What can be wrong between config entries: pure rules, one file for each of their subjects."""
