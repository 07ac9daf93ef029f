# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which protocol a port speaks, asked when the one of the settings met nothing that it understands.

A listener for the other protocol mostly just hangs up, as one that is broken does: only a second look tells them apart.
No credentials are sent.
"""

from __future__ import annotations

import socket
import ssl

from ..settings import Settings

try:
    import requests
except ImportError:  # it comes with pywinrm and pypsrp, whose absence is reported
    requests = None  # type: ignore[assignment]

_LONGEST_LOOK = 5.0
"""Seconds."""
_QUESTION = b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ANSWER = b"HTTP/"


def speaks_the_other(settings: Settings, available: float) -> bool:
    """Whether the port speaks HTTP where https is set, or TLS where http is; takes *available* seconds at most.

    False as well where a proxy stands in the way.
    """
    if available <= 0 or proxy_in_the_way(settings):
        return False
    timeout = min(_LONGEST_LOOK, settings.connect_timeout, available)
    try:
        with socket.create_connection((settings.host, settings.port), timeout) as opened:
            opened.settimeout(timeout)
            return _speaks_http(opened) if settings.scheme == "https" else _speaks_tls(opened)
    except (OSError, UnicodeError):
        return False


def answers(opened: socket.socket, settings: Settings, timeout: float) -> bool:
    """Whether a listener that was connected to says anything within *timeout* seconds."""
    opened.settimeout(timeout)
    try:
        (_speaks_http if settings.scheme == "http" else _speaks_tls)(opened)
    except TimeoutError:
        return False
    except OSError:  # it closed the connection, or answers in another protocol, which the login tells in words
        pass
    return True


def proxy_in_the_way(settings: Settings) -> bool:
    """Whether the connection goes to a proxy, by the settings or by the environment, which requests follows too."""
    if settings.proxy is not None or settings.ignore_proxy or requests is None:
        return settings.proxy is not None
    proxies = requests.utils.get_environ_proxies(settings.url)
    return bool(requests.utils.select_proxy(settings.url, proxies))


def _speaks_http(opened: socket.socket) -> bool:
    opened.sendall(_QUESTION)
    return opened.recv(len(_ANSWER), socket.MSG_WAITALL) == _ANSWER


def _speaks_tls(opened: socket.socket) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_socket(opened).close()
    except ssl.SSLError as error:  # it refuses this handshake, in the words of TLS
        return "ALERT" in (error.reason or "")
    return True
