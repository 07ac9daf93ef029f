# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's own configuration, which clients read to learn the largest envelope (recorded shape)."""

from __future__ import annotations

from collections.abc import Mapping

from . import names
from .request import Request
from .response import envelope
from .settings import WsmanSettings


def response(request: Request, settings: WsmanSettings, logins: Mapping[str, bool], channel_binding: str) -> str:
    body = _element(
        "Config",
        [
            ("MaxEnvelopeSizekb", settings.max_envelope_kb),
            ("MaxTimeoutms", settings.max_timeout_ms),
            ("MaxBatchItems", 32000),
            ("MaxProviderRequests", 4294967295),
            (
                "Client",
                [
                    ("NetworkDelayms", 5000),
                    ("URLPrefix", "wsman"),
                    ("AllowUnencrypted", False),
                    ("Auth", [*((name, True) for name in _CLIENT_LOGINS), ("CredSSP", False)]),
                    ("DefaultPorts", _PORTS),
                    ("TrustedHosts", ""),
                ],
            ),
            (
                "Service",
                [
                    ("RootSDDL", _ROOT_SDDL),
                    ("MaxConcurrentOperations", 4294967295),
                    ("MaxConcurrentOperationsPerUser", settings.max_operations),
                    ("EnumerationTimeoutms", settings.enumeration_timeout_ms),
                    ("MaxConnections", 300),
                    ("MaxPacketRetrievalTimeSeconds", 120),
                    ("AllowUnencrypted", logins["AllowUnencrypted"]),
                    (
                        "Auth",
                        [*((name, logins[name]) for name in _SERVICE_LOGINS), ("CbtHardeningLevel", channel_binding)],
                    ),
                    ("DefaultPorts", _PORTS),
                    ("IPv4Filter", "*"),
                    ("IPv6Filter", "*"),
                    ("EnableCompatibilityHttpListener", False),
                    ("EnableCompatibilityHttpsListener", False),
                    ("CertificateThumbprint", ""),
                    ("AllowRemoteAccess", True),
                ],
            ),
            (
                "Winrs",
                [
                    ("AllowRemoteShellAccess", True),
                    ("IdleTimeout", 7200000),
                    ("MaxConcurrentUsers", 10),
                    ("MaxShellRunTime", 2147483647),
                    ("MaxProcessesPerShell", settings.max_processes),
                    ("MaxMemoryPerShellMB", 1024),
                    ("MaxShellsPerUser", settings.max_shells),
                ],
            ),
        ],
        f' xmlns:cfg="{names.CONFIG}"',
    )
    return envelope(request, f"{request.action}Response", body, ("s", "a", "x", "w", "p"), language=settings.language)


_CLIENT_LOGINS = ("Basic", "Digest", "Kerberos", "Negotiate", "Certificate")
_SERVICE_LOGINS = ("Basic", "Kerberos", "Negotiate", "Certificate", "CredSSP")
_PORTS = [("HTTP", 5985), ("HTTPS", 5986)]
# The default of Microsoft's schema for the configuration.
_ROOT_SDDL = "O:NSG:BAD:P(A;;GA;;;BA)S:P(AU;FA;GA;;;WD)(AU;SA;GWGX;;;WD)"


def _element(name: str, content: object, attributes: str = "") -> str:
    if isinstance(content, list):
        inner = "".join(_element(child, value) for child, value in content)
    else:
        inner = str(content).lower() if isinstance(content, bool) else str(content)
    return f"<cfg:{name}{attributes}>{inner}</cfg:{name}>"
