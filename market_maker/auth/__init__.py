"""Signing requests, and logging in with e-mail, password and a one-time token."""
