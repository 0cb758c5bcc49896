"""Who knocks at a closed port: connections that the system refuses are counted one by one, as they are refused.

Theory of operation. Nobody listens on a closed port, so the system answers for us and tells nobody. Where this process may open a raw
socket (root, or CAP_NET_RAW) it reads along, while the port is closed, the headers of TCP packets that come to this machine: a SYN
to the port is a connection that is being refused. Elsewhere nothing can be counted, and `open` says so.

Rules
* Open only while the port is closed; of a packet only the port, the address and the flags are looked at, and nothing is kept.
* A knock is counted once: clients do not try again by themselves after a refusal.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from functools import lru_cache

SYN, ACK = 0x02, 0x10
ANY = frozenset(("0.0.0.0", "::", ""))
HEADER = 20  # bytes of a TCP header without options
BUFFER = 65536


class Knocks:
    """Calls `tell()` for each connection that `host` refuses at `port` while it is open."""

    def __init__(self, host: str, port: int, tell: Callable[[], None]) -> None:
        self.host = host
        self.port = port
        self.tell = tell
        self._socket: socket.socket | None = None

    def open(self) -> bool:
        """Begin to count; false where the system does not let us."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            self._socket = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
            self._socket.setblocking(False)
            asyncio.get_running_loop().add_reader(self._socket, self._read)
        except (OSError, NotImplementedError, AttributeError):
            self.close()
            return False
        return True

    def close(self) -> None:
        """Count what has come and stop; safe to call again."""
        if self._socket is not None:
            self._read()
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        while self._socket is not None:
            try:
                packet = self._socket.recv(BUFFER)
            except OSError:  # nothing more for now
                return
            if is_knock(packet, self.host, self.port):
                self.tell()


def is_knock(packet: bytes, host: str, port: int) -> bool:
    """Whether a packet (of IPv4 with its header, of IPv6 without) asks for a connection to the port."""
    if ":" not in host:
        if len(packet) < HEADER or (host not in ANY and packet[16:20] != _address(host)):
            return False
        packet = packet[(packet[0] & 0x0F) * 4 :]
    if len(packet) < HEADER:
        return False
    return int.from_bytes(packet[2:4], "big") == port and packet[13] & (SYN | ACK) == SYN


@lru_cache(maxsize=8)
def _address(host: str) -> bytes:
    try:
        return socket.inet_aton(socket.gethostbyname(host))
    except OSError:
        return b""
