# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error code of Kerberos means here, and what to do about it. Pure.

Codes, never texts: those depend on library, version and language. The numbers are MIT's (krb5.h) and, but for a few,
those of RFC 4120 7.5.9 counted from -1765328384.
"""

from __future__ import annotations

import typing as t

from ..errors import LoginRejected, LoginUnavailable, TicketUnavailable

_WRONG_PASSWORD = (-1765328360, -1765328353)
"""KDC_ERR_PREAUTH_FAILED, and KRB_AP_ERR_BAD_INTEGRITY of a KDC that does not ask for proof before."""

_MANUAL = "run kinit, or set {name[username]} and {name[password]}"
_SKEW = (
    "the clocks of this machine and of the KDC or the endpoint differ by more than Kerberos allows (usually 5"
    " minutes). Set this machine's clock by the domain's time service"
)
_NO_TICKET = "there is no ticket for {client}: " + _MANUAL

_MEANINGS = {
    -1765328383: "the account {client} has expired. Have it extended",
    -1765328378: (
        "the KDC does not know {client}. Check {name[username]}: it is the name before the @ and the realm in capitals"
    ),
    -1765328377: (
        "the KDC does not know this service. Give the full name under which the endpoint joined the domain, not an"
        " address or an alias, as {name[host]} or as {name[kerberos_hostname_override]}"
    ),
    -1765328372: "the KDC's policy forbids this ticket to {client}. Ask the domain's administrators",
    -1765328370: (
        "the KDC, the account and /etc/krb5.conf have no encryption type in common. Look at permitted_enctypes there,"
        " and have AES switched on for the account"
    ),
    -1765328366: "the account {client} is locked or disabled. Have it unlocked before the next run",
    -1765328361: "the password of {client} has expired. Have it changed",
    -1765328352: "the ticket of {client} has expired. Get a new one: " + _MANUAL,
    -1765328347: _SKEW,
    -1765328249: "the file that KRB5_CONFIG names, or /etc/krb5.conf, cannot be read. Check it",
    -1765328248: "the file that KRB5_CONFIG names, or /etc/krb5.conf, is malformed. Correct it",
    -1765328243: _NO_TICKET,
    -1765328236: _SKEW,
    -1765328230: (
        "no KDC is known for the realm of {client}, or of the endpoint. Write the realm in capitals, or name its KDC in"
        " [realms] of /etc/krb5.conf, or of the file that KRB5_CONFIG names"
    ),
    -1765328228: (
        "no KDC answers for the realm of {client}, or of the endpoint. Open port 88 of the domain controllers to this"
        " machine, and check which ones /etc/krb5.conf, or the file that KRB5_CONFIG names, has"
    ),
    -1765328189: _NO_TICKET,
    -1765328160: (
        "no default realm is configured. Write {name[username]} as user@REALM, or set default_realm in krb5.conf"
    ),
}


def problem(
    code: int, text: str, client: str, service: str, names: t.Mapping[str, str]
) -> LoginUnavailable | LoginRejected:
    """The error for a *code*.

    *text* is the library's own, and told of codes that are not known here; *client* is a principal, *service* such as
    HTTP/pc.corp.example, *names* how the user spells the settings.
    """
    if code in _WRONG_PASSWORD:
        return LoginRejected(f"The KDC rejected the password of {client}")
    known = _MEANINGS.get(code)
    meaning = known.format(client=client, name=names) if known else " ".join(text.split())
    return TicketUnavailable(f"No Kerberos login to {service}: {meaning} (error {code})")
