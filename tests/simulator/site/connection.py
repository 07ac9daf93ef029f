# SPDX-License-Identifier: GPL-3.0-or-later
"""What one TCP connection to the service goes through. Each request has a login of its own (recorded)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..server.accounts import AccountFiles, Home
from ..server.certificates import ServerIdentity
from ..server.directory import Directory
from ..server.http import BadHttp, HttpConnection, HttpRequest, HttpResponse
from ..server.login import Login, Step
from .planting import Faults
from .service import Service
from .spec import FaultSpec

log = logging.getLogger(__name__)
_IDLE = 120.0
_LONGEST_BODY = 1024 * 1024
_HANGS = 3600.0
_DRIP = 0.2


@dataclass
class SiteTraffic:
    """What clients have asked: the requests that got past the login, in order, with the status of each answer."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    rejected: int = 0
    logins: Counter[str] = field(default_factory=Counter)
    octets: int = 0

    def reset(self) -> None:
        self.requests.clear()
        self.logins.clear()
        self.rejected = self.octets = 0

    def describe(self) -> dict[str, Any]:
        return {
            "requests": list(self.requests),
            "rejected": self.rejected,
            "logins": dict(self.logins),
            "octets": self.octets,
        }


class SiteConnection:
    def __init__(
        self,
        service: Service,
        faults: Callable[[], Faults],
        traffic: SiteTraffic,
        files: AccountFiles,
        directory: Directory,
        identity: ServerIdentity,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._service = service
        self._faults = faults
        self._traffic = traffic
        self._files = files
        self._directory = directory
        self._identity = identity
        self._writer = writer
        self._http = HttpConnection(reader, writer)
        self._login = self._new_login()

    async def serve(self) -> None:
        try:
            while True:
                request = await self._http.next_request(_IDLE, _LONGEST_BODY)
                if request is None:
                    return
                await self._answer(request)
                if not self._http.reusable:
                    return
        except BadHttp as bad:
            if self._http.can_answer:
                await self._http.write(self._http.encode(bad.response, self._service.now))
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the simulator ends
        except Exception:
            log.exception("the connection to the site ends with an error of the simulator")
        finally:
            self._writer.close()

    async def _answer(self, request: HttpRequest) -> None:
        headers = self._logged_in(request)
        if isinstance(headers, HttpResponse):
            await self._send(headers)
            return
        fault = self._faults().of(request.method, request.target)
        if fault and await self._planted(request, fault):
            return
        host = request.header("host") or self._service.spec.provider
        answer = await self._service.answer(request.method, request.target, request.body, host)
        self._note(request, answer.status)
        await self._send(HttpResponse(answer.status, answer.body, answer.content_type, headers))

    def _logged_in(self, request: HttpRequest) -> list[tuple[str, str]] | HttpResponse:
        """The headers that go with the answer, or the answer of a login that has not got that far."""
        authorization = request.header("authorization")
        spec = self._service.spec
        if authorization.lower().startswith("bearer "):
            return self._by_token(authorization)
        if request.target.lower().startswith("/adminservice_tokenauth"):
            return HttpResponse(401)
        if not authorization:
            return self._unauthorized(0)
        kind = "ntlm" if _is_ntlm(authorization) else "kerberos"
        if (kind == "ntlm" and not spec.takes_ntlm) or kind not in spec.logins:
            return self._unauthorized(1)
        outcome = self._login.step(authorization)
        token = base64.b64encode(outcome.token or b"").decode()
        if outcome.step is Step.REJECTED:
            self._login = self._new_login()
            return self._unauthorized(1)
        if outcome.step is Step.CONTINUE:
            return HttpResponse(401, headers=[("WWW-Authenticate", f"{_scheme(authorization)} {token}")])
        self._traffic.logins[kind] += 1
        self._login = self._new_login()
        return [("WWW-Authenticate", f"{_scheme(authorization)} {token}")] if token else []

    def _by_token(self, authorization: str) -> list[tuple[str, str]] | HttpResponse:
        spec = self._service.spec
        used_up = spec.token_lasts and self._traffic.logins["token"] >= spec.token_lasts
        if "token" not in spec.logins or not spec.token or authorization[7:] != spec.token or used_up:
            return self._unauthorized(1)
        self._traffic.logins["token"] += 1
        return []

    def _unauthorized(self, rejected: int) -> HttpResponse:
        self._traffic.rejected += rejected
        schemes = ("Negotiate", "NTLM") if self._service.spec.takes_ntlm else ("Negotiate",)
        return HttpResponse(401, headers=[("WWW-Authenticate", scheme) for scheme in schemes])

    def _new_login(self) -> Login:
        spec = self._service.spec
        home = Home(spec.provider.partition(".")[0].upper(), spec.provider.partition(".")[2])
        bindings, keytab = self._identity.bindings, spec.keytab
        schemes = ("negotiate", "ntlm")
        return Login(spec.account, home, self._directory, schemes, self._files, bindings, "relaxed", keytab)

    async def _planted(self, request: HttpRequest, fault: FaultSpec) -> bool:
        """Whether the fault was the answer."""
        if fault.act == "fire":
            self._service.fire(fault.machine, fault.event)
            return False
        answer = await self._service.answer(
            request.method, request.target, request.body, request.header("host") or self._service.spec.provider
        )
        if fault.act == "status":
            answer = HttpResponse(fault.status, b"", "")
        elif fault.act == "html":
            answer = HttpResponse(200, b"<!DOCTYPE html><html><body>Sign in</body></html>", "text/html")
        elif fault.act == "garbage":
            answer = HttpResponse(200, b'{"value": [{"Name": "\xff', "application/json")
        elif fault.act == "empty":
            answer = HttpResponse(200, b'{"value": []}', "application/json")
        self._note(request, 0 if fault.act in ("hang", "close") else answer.status)
        if fault.act == "hang":
            await asyncio.sleep(_HANGS)
        if fault.act in ("hang", "close"):
            self._writer.transport.abort()
            return True
        data = self._http.encode(answer, self._service.now)
        if fault.act == "half":
            await self._http.write(data[: len(data) - len(answer.body) // 2])
            self._writer.transport.abort()
            return True
        if fault.act == "drip":
            for octet in data:
                await self._http.write(bytes([octet]))
                await asyncio.sleep(_DRIP)
            return True
        await self._http.write(data)
        return True

    def _note(self, request: HttpRequest, status: int) -> None:
        body = request.body.decode("utf-8", "replace")
        self._traffic.octets += request.octets
        self._traffic.requests.append(
            {"method": request.method, "target": request.target, "status": status, "body": body}
        )

    async def _send(self, response: HttpResponse) -> None:
        data = self._http.encode(response, self._service.now)
        self._traffic.octets += len(data)
        await self._http.write(data)


def _scheme(authorization: str) -> str:
    return authorization.partition(" ")[0]


def _is_ntlm(authorization: str) -> bool:
    try:
        return b"NTLMSSP\0" in base64.b64decode(authorization.partition(" ")[2], validate=True)
    except (binascii.Error, ValueError):
        return False
