# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which library carries the messages, and what keeps it from doing so."""

from __future__ import annotations

from ..deadline import Deadline
from ..session import Transport
from ..settings import Settings
from .base import HttpTransport
from .braked import Brake, logged_in
from .pypsrp import PYPSRP_IMPORT_ERROR, PypsrpTransport
from .pyspnego import PYSPNEGO_IMPORT_ERROR, PyspnegoTransport
from .pywinrm import PYWINRM_IMPORT_ERROR, PywinrmTransport

IMPORT_ERRORS = {"pywinrm": PYWINRM_IMPORT_ERROR, "pypsrp": PYPSRP_IMPORT_ERROR, "pyspnego": PYSPNEGO_IMPORT_ERROR}
"""By the name of the library; None where it can be used."""

LEAST_VERSIONS = {"pywinrm": "0.5.0", "pypsrp": "0.8.1", "pyspnego": "0.9.0"}

_TRANSPORTS: dict[str, type[HttpTransport]] = {
    "pywinrm": PywinrmTransport,
    "pypsrp": PypsrpTransport,
    "pyspnego": PyspnegoTransport,
}


def transport(settings: Settings, deadline: Deadline, brake: Brake | None = None) -> Transport:
    """Its logins go by the *brake*. Raises SettingsError for settings that the library cannot use."""
    kind = _TRANSPORTS[settings.library]
    return logged_in(lambda: kind(settings, deadline), settings, brake, deadline)
