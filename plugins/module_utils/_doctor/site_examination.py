# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examines the way to a site, layer by layer, from the libraries here to a client that it reaches.

It changes nothing. Whatever fails is a finding.
"""

from __future__ import annotations

import datetime as dt
import platform
import typing as t
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from .._adminservice.errors import AdminServiceError, NotAProvider
from .._adminservice.service import PAGE_SIZE, AdminService, missing_library
from .._advice import advice
from .._client.mode.verdict import DEFAULT_MINIMUM_AGE, assess
from .._site import devices
from .._site.client_state import Silent, SiteClient
from .._site.connection import NAMES
from .._site.errors import ScriptUnusable, SiteProblem
from .._site.own_scripts import READ_MODE, SCRIPTS
from .._site.script_store import usable
from .._site.site import Site, identify
from .._site.target import target
from .._wsman.deadline import Deadline
from .._wsman.errors import ProtocolError, WSManError
from .._wsman.settings import Settings
from . import libraries, network_checks
from .checks import SITE, Check, obstacle

_ALL_SYSTEMS = "SMS00001"
_LARGEST_SKEW = dt.timedelta(minutes=5)
"""Beyond it Kerberos refuses."""
_ANSWERS = (AdminServiceError, ProtocolError)
"""After these the service can still be asked."""


@dataclass(frozen=True)
class SiteTarget:
    """How the site is to be reached.

    ``options`` tells the options in force; ``settings`` is None where they cannot be used, for ``problem``;
    ``library`` what is missing to ask at all. ``device`` is to be asked through the site; None: nobody is.
    """

    options: str
    settings: Settings | None
    problem: str
    library: str | None
    with_token: bool
    device: str | None
    answer_timeout: int


class SiteExamination:
    """``done`` are the checks, in their order; ``site`` is None where it did not tell who it is."""

    def __init__(self, wanted: SiteTarget, connect: t.Callable[[Settings], AdminService], deadline: Deadline) -> None:
        self.done: list[Check] = []
        self.site: Site | None = None
        self._wanted = wanted
        self._connect = connect
        self._deadline = deadline
        self._service: AdminService
        self._refusal: WSManError | None = None
        self._seen: list[devices.Device] = []
        self._ended = ""

    def run(self) -> None:
        with ExitStack() as stack:
            self._stack = stack
            for name in SITE:
                self.done.append(self._check(name))

    def _check(self, name: str) -> Check:
        cause = obstacle(SITE, name, self.done)
        if cause:
            return Check(name, "skipped", f"not looked at, since {cause} failed")
        if self._ended:
            return Check(name, "skipped", f"not looked at, since the conversation ended at {self._ended}")
        try:
            return self._look_at(name)
        except WSManError as error:
            if not isinstance(error, _ANSWERS):
                self._ended = name
            return Check(name, "failed", str(error), _advice(error))
        except SiteProblem as error:
            return Check(name, "failed", str(error), "Correct the option, or the site.")

    def _look_at(self, name: str) -> Check:
        settings = self._wanted.settings
        if name == "library":
            return self._libraries()
        if settings is None:
            return network_checks.wrong_options(self._wanted.options, self._wanted.problem)
        if name == "options":
            return network_checks.options(self._wanted.options, "")
        if name in network_checks.CHECKS:
            return network_checks.CHECKS[name](settings)
        looks: dict[str, t.Callable[[], Check]] = {
            "login": lambda: self._login(settings),
            "provider": self._provider,
            "role": self._role,
            "clock": self._clock,
            "devices": self._devices,
            "fast_channel": self._fast_channel,
            "scripts": self._scripts,
            "device": self._device,
        }
        return looks[name]()

    def _libraries(self) -> Check:
        missing, settings = self._wanted.library, self._wanted.settings
        if missing is None and settings is not None and not self._wanted.with_token:
            missing = missing_library(settings)
        if missing:
            return Check("library", "failed", missing, "Install it where Ansible runs.")
        found = [f"{name} {version}" for name, version in libraries.versions().items() if name in _LIBRARIES]
        return Check("library", "ok", ", ".join([f"Python {platform.python_version()}", *found]))

    def _login(self, settings: Settings) -> Check:
        self._service = self._stack.enter_context(self._connect(settings))
        try:
            self.site = identify(self._service)
        except _ANSWERS as error:
            self._refusal = error
        if isinstance(self._refusal, NotAProvider):
            return Check("login", "skipped", "what answers there asked for none")
        who = "the token" if self._wanted.with_token else settings.username or "the ticket in the cache"
        method = "" if self._wanted.with_token else f" by {settings.auth}"
        return Check("login", "ok", f"{who} was let in{method}")

    def _provider(self) -> Check:
        if isinstance(self._refusal, (NotAProvider, ProtocolError)):
            raise self._refusal
        return Check("provider", "ok", "an administration service answers")

    def _role(self) -> Check:
        if self.site is None:
            raise self._refusal or ProtocolError(f"{self._service.url} does not say which site it is of")
        version = f"version {self.site.version}" if self.site.version else "of a version that the account may not see"
        return Check("role", "ok", f"the account has a role on site {self.site.code} ({self.site.name}), {version}")

    def _clock(self) -> Check:
        if self._service.now is None:
            return Check("clock", "skipped", "the service did not tell the time")
        skew = self._service.now - dt.datetime.now(dt.timezone.utc)
        seconds = round(abs(skew).total_seconds())
        found = f"{seconds} s {'behind' if skew < dt.timedelta(0) else 'ahead of'} the clock here"
        if abs(skew) > _LARGEST_SKEW:
            return Check("clock", "warning", found, "Correct whichever is wrong: Kerberos refuses more than 5 min.")
        return Check("clock", "ok", found)

    def _devices(self) -> Check:
        self._seen = list(islice(devices.all_devices(self._service), PAGE_SIZE))
        many = f"the first {PAGE_SIZE}" if len(self._seen) == PAGE_SIZE else f"{len(self._seen)}"
        if not self._seen:
            return Check("devices", "warning", "no device is shown: all are hidden, or there is none", _SCOPES)
        try:
            everybody = devices.collection(self._service, _ALL_SYSTEMS)
        except AdminServiceError:
            return Check("devices", "warning", f"{many} are shown, but not the collection {_ALL_SYSTEMS}", _SCOPES)
        of = "" if everybody.member_count is None else f"; {everybody.name} has {everybody.member_count} members"
        return Check("devices", "ok", f"{many} devices are shown{of}")

    def _fast_channel(self) -> Check:
        clients = [device for device in self._seen if device.is_client and not device.is_obsolete]
        online = sum(1 for device in clients if device.online)
        found = f"{online} of {len(clients)} clients looked at are online by it"
        if not online:
            return Check("fast_channel", "warning", f"{found}: it may be down, or all may be off", _CHANNEL)
        return Check("fast_channel", "ok", found)

    def _scripts(self) -> Check:
        problems = []
        for script in SCRIPTS.values():
            try:
                usable(self._service, script)
            except (ScriptUnusable, AdminServiceError) as error:
                problems.append(str(error))
        if problems:
            return Check("scripts", "warning", "; ".join(problems), "Without them the site releases nobody.")
        return Check("scripts", "ok", f"{len(SCRIPTS)} are there, unchanged and approved")

    def _device(self) -> Check:
        if self._wanted.device is None or self.site is None:
            return Check("device", "skipped", "none was named, so no client was asked")
        device = target(self._service, self.site, self._wanted.device)
        if not device.online:
            return Check("device", "failed", f"{device.name} is offline by the notification channel", _CHANNEL)
        client = SiteClient(self._service, device.resource_id, self._wanted.answer_timeout, self._deadline)
        started = self._deadline.left()
        try:
            state = client.read(usable(self._service, READ_MODE))
        except Silent as silence:
            return Check("device", "failed", f"{device.name}: {silence}", _CHANNEL)
        seconds = round(started - self._deadline.left())
        verdict = assess(state, DEFAULT_MINIMUM_AGE).verdict.value
        return Check("device", "ok", f"{device.name} ran a script and answered in {seconds} s: {verdict}")


_SCOPES = "Check the collections and security scopes of the account."
_CHANNEL = "Does the console show it online? The log BgbServer.log of its management point tells of the channel."


def _advice(error: WSManError) -> str:
    remedies = (f"site_{error.remedy or error.layer}", error.remedy, error.layer)
    return next((found for remedy in remedies if (found := advice(remedy, NAMES))), "")


_LIBRARIES = ("requests", "requests-ntlm", "requests-kerberos", "pyspnego", "krb5", "cryptography")
