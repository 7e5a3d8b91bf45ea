"""Bugs that are not there: an exception at every await of a connection's path."""
