# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an endpoint is there, before anything more is spent on it: its login's turn above all.

As long as no password of an account was accepted, three of its logins are under way at most. An endpoint that accepts
connections and says nothing would hold such a turn until its time is over, and thousands of them the whole fleet.
"""

from __future__ import annotations

import socket
import typing as t

from ...module_utils._advice import advice
from ...module_utils._wsman.settings import Settings
from ...module_utils._wsman.transport.listener import answers


class NotThere(Exception):
    """``result`` holds the class of the error and the layer that it belongs to."""

    def __init__(self, settings: Settings, layer: str, error_class: str, reason: str) -> None:
        super().__init__(f"{settings.url} cannot be reached: {reason}. {advice(layer, settings.names)}")
        self.result: dict[str, t.Any] = {"error_class": error_class, "error_layer": layer, "retryable": True}


def check(settings: Settings, holds_turn: t.Callable[[], bool], available: float) -> None:
    """Raises NotThere. *holds_turn* tells whether a login needs a turn; *available* are the seconds that there are.

    It goes straight to the endpoint.
    """
    with _connected(settings) as opened:
        silence = min(settings.read_timeout, available)
        if holds_turn() and not answers(opened, settings, silence):
            reason = "it accepted the connection and stayed silent"
            raise NotThere(settings, "timeout", "timeout", reason)


def _connected(settings: Settings) -> socket.socket:
    try:
        return socket.create_connection((settings.host, settings.port), settings.connect_timeout)
    except socket.gaierror as error:
        raise NotThere(settings, "dns", "dns", f"its name does not resolve: {error.strerror}") from error
    except ConnectionRefusedError as error:
        raise NotThere(settings, "port", "refused", str(error.strerror)) from error
    except TimeoutError as error:
        raise NotThere(settings, "port", "filtered", "nothing answered the connection request in time") from error
    except OSError as error:
        raise NotThere(settings, "port", "filtered", str(error.strerror or error)) from error
