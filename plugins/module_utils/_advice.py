# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a failure, by the layer that it belongs to. Pure."""

from __future__ import annotations

from ._wsman.settings import OptionNames

_BY_LAYER = {
    "library": "Install it where the task runs: the controller, its execution environment, or the host of delegate_to.",
    "dns": "Check the host's address in the inventory.",
    "port": "Is it switched on, is WinRM enabled, and does the firewall let this port through?",
    "proxy": "Check {proxy}, and the variables of the environment for proxies.",
    "tls": (
        "Check {port}: is this a listener for https, with a certificate? This machine and the endpoint need a version"
        " of TLS and a cipher in common."
    ),
    "certificate": "Set {ca_trust_path} to the file of the CA that issued its certificate.",
    "certificate_name": "Set {host} to the name that its certificate was issued for.",
    "certificate_time": "Have it renewed, or correct the clock of this machine.",
    "speaks_http": "Set {scheme} to http, or {port} to that of its listener for https, usually 5986.",
    "speaks_http_unsealed": (
        "Set {port} to that of its listener for https, usually 5986; or {scheme} to http and {auth} to ntlm or"
        " kerberos, which encrypt their messages."
    ),
    "speaks_tls": "Set {scheme} to https, or {port} to that of its listener for http, usually 5985.",
    "timeout": "It may be overloaded or starting: try again later.",
    "http": "Check {port}, {scheme} and {path}: is this a WinRM listener?",
    "login": "Check {username}, {password} and {auth}. It is not tried again.",
    "kerberos": "The collection's guide on connections tells more.",
    "permission": "The account needs to be a local administrator of the endpoint.",
    "quota": "Other sessions use up the service's limits: try again later.",
    "class": "Is the ConfigMgr client installed there, and its WMI whole? The playbook doctor tells what can be read.",
    "method": "The playbook doctor tells which calls this endpoint takes.",
    "provider": "A client that is starting fails so: try again in some minutes.",
    "protocol": "Check port and path: is this a WinRM listener?",
    "site_dns": "Check {host}: it is the full name of a server with the role SMS Provider.",
    "site_port": (
        "Check {host} and {port}: is it a server with the role SMS Provider, and does the firewall let this through?"
    ),
    "site_proxy": "Check the variables of the environment for proxies, and no_proxy for {host}.",
    "site_tls": "Check {port}: the service speaks https alone.",
    "site_timeout": (
        "Its service may hang, as when its process has ended: restart the component SMS_REST_PROVIDER on that server."
    ),
    "site_http": "Check {host}, {port} and {path}: is this an administration service?",
    "role": "Have the account added as an administrative user of the site, with a role that may read.",
    "site_host": (
        "Name a server with the role SMS Provider as {host}: management points, distribution points and secondary sites"
        " have none."
    ),
    "site_permission": "The guide on the site says which role has which of these rights.",
    "visible": "Check its name or id, and the collections and security scopes of the account.",
    "request": "This may be another version of the service than is known here.",
    "service": "The log AdminService.log of that server, and SMSProv.log, tell more.",
    "wrong_machine": "Correct the inventory, or see the options computer_name and name_check.",
}


_PASSING = frozenset(
    {"dns", "port", "proxy", "timeout", "http", "connection", "protocol", "quota", "class", "provider", "fault"}
    | {"windows", "client", "service"}
)


def is_retryable(layer: str) -> bool:
    """Whether a failure of *layer* may be gone in some minutes, as of an endpoint that restarts or is busy.

    A rejected login is not: trying it again locks accounts.
    """
    return layer in _PASSING


def advice(layer: str, named: OptionNames) -> str:
    """Empty where the message of the failure says all that there is to say. *named* are the user's words."""
    return _BY_LAYER.get(layer, "").format_map(named)
