# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that need no login: what is here, and what there is on the way to the listener."""

from __future__ import annotations

import platform
import typing as t

from .._advice import advice
from .._wsman.settings import Settings
from .._wsman.transport.connect import LEAST_VERSIONS
from .._wsman.transport.listener import proxy_in_the_way
from . import libraries, probe
from .checks import Check


def libraries_here(library: str) -> Check:
    """*library* is the library that carries the messages."""
    problem = libraries.problem(library)
    if problem:
        wanted = f"{library}>={LEAST_VERSIONS[library]}"
        return Check("library", "failed", problem, f"Where this runs: pip install '{wanted}' defusedxml")
    found = [f"{name} {version}" for name, version in libraries.versions().items()]
    return Check("library", "ok", ", ".join([f"Python {platform.python_version()}", *found]))


def wrong_options(options: str, problem: str) -> Check:
    return Check("options", "failed", f"{problem}; in force: {options}", "Correct it in the inventory or the task.")


def options(in_force: str, without_effect: str) -> Check:
    if without_effect:
        return Check("options", "warning", f"{in_force}; without effect: {without_effect}", "Take these out.")
    return Check("options", "ok", in_force)


def _dns(settings: Settings) -> Check:
    return _unless_proxied("dns", settings, lambda: f"{settings.host} is {', '.join(probe.resolve(settings))}")


def _port(settings: Settings) -> Check:
    def look() -> str:
        probe.open_port(settings).close()
        return f"port {settings.port} is open"

    return _unless_proxied("port", settings, look)


def _unless_proxied(name: str, settings: Settings, look: t.Callable[[], str]) -> Check:
    if proxy_in_the_way(settings):
        return Check(name, "skipped", "a proxy does this; what it meets shows at the login")
    return Check(name, "ok", look())


def _tls(settings: Settings) -> Check:
    if settings.scheme == "http":
        return Check("tls", "skipped", "the listener is http")
    if proxy_in_the_way(settings):
        return Check("tls", "skipped", "a proxy stands in the way; what it meets shows at the login")
    found = probe.certificate(settings)
    names = f"certificate of {found.subject}, issued by {found.issuer}, valid until {found.not_after:%Y-%m-%d}"
    if not found.distrust:
        return Check("tls", "ok", f"{names}, trusted")
    if settings.validate_certificate:
        return Check("tls", "failed", f"{names}, not trusted: {found.distrust}", advice("certificate", settings.names))
    return Check(
        "tls",
        "warning",
        f"{names}, not trusted ({found.distrust}) and not checked",
        f"Anybody can pretend to be this machine. {advice('certificate', settings.names)}",
    )


CHECKS: dict[str, t.Callable[[Settings], Check]] = {"dns": _dns, "port": _port, "tls": _tls}
