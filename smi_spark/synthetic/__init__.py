"""A small archive with linked records, made from a seed, with the answers known."""
