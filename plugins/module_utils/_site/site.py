# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site itself: nothing is said of its objects before it has answered as a site."""

from __future__ import annotations

from dataclasses import dataclass

from .._adminservice.errors import NoRole, NotVisible
from .._adminservice.service import AdminService
from .._wsman.errors import ProtocolError


@dataclass(frozen=True)
class Site:
    """``version`` such as 5.00.9141.1000; None where the account may not see the site object."""

    code: str
    name: str
    version: str | None


def identify(service: AdminService) -> Site:
    """Raises NoRole where the account has no role here, and what AdminService raises.

    An empty list means nothing on this service: what is hidden looks the same. So whoever is not shown even the site's
    own name is told that, and not that there are no devices.
    """
    try:
        rows = service.members("wmi/SMS_Identification", select="ThisSiteCode,ThisSiteName")
    except NotVisible as error:
        raise NoRole(
            f"{service.url} knows the account, and shows it nothing (HTTP 404): it has no role on this site",
            error.status,
        ) from None
    code = rows[0].text("ThisSiteCode") if rows else None
    if not code:
        raise ProtocolError(f"{service.url} does not answer as a site: SMS_Identification names none")
    sites = service.members("wmi/SMS_Site", select="SiteCode,SiteName,Version", filter=f"SiteCode eq {quoted(code)}")
    return Site(
        code,
        rows[0].text("ThisSiteName") or "",
        next((site.text("Version") for site in sites if site.text("SiteCode") == code), None),
    )


def quoted(text: str) -> str:
    """*text* as OData writes it in a filter or a key."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
