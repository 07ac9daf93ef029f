# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the errors of requests-credssp mean, which logs in for pywinrm and for pypsrp. Their texts may hold tokens."""

from __future__ import annotations

from ..errors import LoginRejected, LoginUnavailable, WSManError
from ..settings import Settings

try:
    from requests_credssp.exceptions import AuthenticationException, NTStatusException
except ImportError:  # without it no login is tried
    AuthenticationException = NTStatusException = None


def login_problem(error: Exception, settings: Settings) -> WSManError | None:
    """None for an error of something else."""
    if AuthenticationException is None or not isinstance(error, (AuthenticationException, NTStatusException)):
        return None
    rejected = f"{settings.url} rejected the login of {settings.username} with credssp"
    if isinstance(error, NTStatusException):
        return LoginRejected(f"{rejected} (NTSTATUS {error.status:#010x})")
    # It says so before it has sent anything, and only then names the offers.
    if "available authentication method" in str(error):
        return LoginUnavailable(f"{settings.url} does not offer credssp logins")
    return LoginRejected(rejected)
