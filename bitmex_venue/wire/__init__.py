"""BitMEX's REST and realtime language, without sockets: requests in, replies and frames out."""
