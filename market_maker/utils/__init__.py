"""Small things every other room may use."""
