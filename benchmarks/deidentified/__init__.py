"""Measures of zone 2."""
