"""Positional XML: prolog, slices, elements, positions, and the fast path."""
