# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one device that a name stands for."""

from __future__ import annotations

from .._adminservice.errors import NotVisible
from .._adminservice.service import AdminService
from .devices import Device, named
from .errors import NoTarget
from .site import Site


def target(service: AdminService, site: Site, name: str) -> Device:
    """Of a name that has several records, the one that is not obsolete. Raises NoTarget, and NotVisible."""
    records, missing = named(service, [name])
    if missing:
        raise NotVisible(f"{service.url} shows the account no device {name!r}", 404)
    current = [device for device in records if not device.is_obsolete]
    if not current:
        raise NoTarget(f"all records of {name!r} are obsolete: the computer has registered anew, or is gone")
    if len(current) > 1:
        ids = ", ".join(str(device.resource_id) for device in current)
        raise NoTarget(f"{name!r} stands for {len(current)} devices: give the resource id of one ({ids})")
    device = current[0]
    if not device.is_client:
        raise NoTarget(f"no ConfigMgr client is registered for {name!r}, so the site cannot reach it")
    if device.site_code and device.site_code.upper() != site.code.upper():
        raise NoTarget(
            f"{name!r} is a client of site {device.site_code}, and this is {site.code}: ask a provider of that site"
        )
    return device
