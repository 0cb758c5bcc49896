"""The realtime feed: the socket and its thread, and the tables that it fills."""
