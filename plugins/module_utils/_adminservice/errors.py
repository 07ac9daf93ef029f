# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service answers in place of what was asked of it; beside these, the errors of ``_wsman`` for the way there.

Status 404 has five meanings here, and only a body or what was asked before tells which: see ``answers.py``.
"""

from __future__ import annotations

from .._wsman.errors import WSManError


class AdminServiceError(WSManError):
    """The service answered, and refused. ``status`` is HTTP's."""

    layer = "service"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NoRole(AdminServiceError):
    """The account is known to the domain, and has no role on this site."""

    layer = "role"


class NotAProvider(AdminServiceError):
    """A web server answers, but no administration service: not an SMS Provider."""

    layer = "site_host"


class NotVisible(AdminServiceError):
    """It is not there, not there yet, or hidden from this account: the service does not say which."""

    layer = "visible"


class Forbidden(AdminServiceError):
    """The account's roles do not include this, or, of a script, it is not approved."""

    layer = "site_permission"


class BadRequest(AdminServiceError):
    """The service does not understand what was asked."""

    layer = "request"


class ServiceFailed(AdminServiceError):
    """The service met an error, or is not available. A refusal of the provider looks the same."""
