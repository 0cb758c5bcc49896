"""Strategies to run with --strategy, and to learn from."""
