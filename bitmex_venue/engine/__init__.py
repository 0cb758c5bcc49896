"""The exchange itself: no sockets, no threads, no wall clock; integers inside."""
