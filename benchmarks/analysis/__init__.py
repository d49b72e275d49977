"""Measures of zone 3."""
