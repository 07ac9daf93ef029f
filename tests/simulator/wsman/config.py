# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's own configuration, which clients read to learn the largest envelope (recorded shape)."""

from __future__ import annotations

from . import names
from .request import Request
from .response import envelope
from .settings import WsmanSettings


def response(request: Request, settings: WsmanSettings) -> str:
    body = _element(
        "Config",
        [
            ("MaxEnvelopeSizekb", settings.max_envelope_kb),
            ("MaxTimeoutms", settings.max_timeout_ms),
            ("MaxBatchItems", 32000),
            (
                "Service",
                [
                    ("MaxConcurrentOperations", 4294967295),
                    ("MaxConcurrentOperationsPerUser", settings.max_operations),
                    ("EnumerationTimeoutms", settings.enumeration_timeout_ms),
                    ("MaxConnections", 300),
                    ("MaxPacketRetrievalTimeSeconds", 120),
                    ("AllowRemoteAccess", "true"),
                ],
            ),
            (
                "Winrs",
                [
                    ("AllowRemoteShellAccess", "true"),
                    ("IdleTimeout", 7200000),
                    ("MaxConcurrentUsers", 10),
                    ("MaxShellRunTime", 2147483647),
                    ("MaxProcessesPerShell", 25),
                    ("MaxMemoryPerShellMB", 1024),
                    ("MaxShellsPerUser", settings.max_shells),
                ],
            ),
        ],
        f' xmlns:cfg="{names.CONFIG}"',
    )
    return envelope(request, f"{request.action}Response", body, ("s", "a", "x", "w", "p"), language=settings.language)


def _element(name: str, content: object, attributes: str = "") -> str:
    if isinstance(content, list):
        inner = "".join(_element(child, value) for child, value in content)
    else:
        inner = str(content)
    return f"<cfg:{name}{attributes}>{inner}</cfg:{name}>"
