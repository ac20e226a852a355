"""Hosts and sites: what is the app's own."""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

__all__ = ["host_and_port", "is_loopback", "is_own_host"]


def host_and_port(url: str) -> tuple[str, int | None]:
    """Return host and port of a URL, without the port that its scheme has by default."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", None if port in (80, 443) else port


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by whichever of its names nobody else can give away."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=16)
def is_own_host(header: str | None, origins: tuple[str, ...]) -> bool:
    """Whether a Host header names this machine or one of `origins`.

    A page of another site that lets its own name point to 127.0.0.1 (DNS rebinding) is of the same
    origin as the app to the visitor's browser; the name in this header gives it away.
    """
    host, _ = host_and_port(f"//{header or ''}")
    return is_loopback(host) or host in [host_and_port(origin)[0] for origin in origins]
