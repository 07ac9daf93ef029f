# SPDX-License-Identifier: GPL-3.0-or-later
"""What one TCP connection to the WinRM listener goes through: HTTP, login, encryption, WS-Management."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import cast

from ..endpoint import Endpoint
from ..wsman.calls import Call
from ..wsman.reply import Reply
from ..wsman.service import Caller
from . import sealing
from .accounts import AccountFiles
from .certificates import Authority, CertificateMapping
from .directory import Directory
from .http import BadHttp, HttpConnection, HttpRequest, HttpResponse, http_sys_page
from .login import Login, Step

log = logging.getLogger(__name__)

# What sealing adds to an envelope, and more: the limit is meant for the envelope.
_AROUND_ENVELOPE = 4096
_OFFERS = {
    "negotiate": "Negotiate",
    "kerberos": "Kerberos",
    "basic": 'Basic realm="WSMAN"',
    "credssp": "CredSSP",
}


class WinRmConnection:
    def __init__(self, endpoint: Endpoint, http: HttpConnection, login: Login, peer: str, *, secure: bool) -> None:
        self._endpoint = endpoint
        self._http = http
        self._login = login
        self._peer = peer
        self._secure = secure
        self._schemes = endpoint.spec.schemes_https if secure else endpoint.spec.schemes_http
        # The kernel has answered the connection request at once: the first answer makes up for that.
        self._trips = 2

    async def serve(self) -> None:
        spec = self._endpoint.spec
        limit = spec.wsman.max_envelope_kb * 1024 + _AROUND_ENVELOPE
        while True:
            try:
                request = await self._http.next_request(spec.idle_timeout, limit)
                if request is None:
                    return
                await self._answer(request)
            except BadHttp as bad:
                if self._http.can_answer:
                    sent = await self._send(bad.response)
                    self._endpoint.traffic.other(bad.octets, sent)
                return
            if not self._http.reusable:
                return

    async def _answer(self, request: HttpRequest) -> None:
        if request.target.partition("?")[0].strip("/").lower() != self._endpoint.spec.url_prefix.lower():
            await self._other(request, http_sys_page(404, "Not Found"))
        elif request.method != "POST":
            await self._other(request, HttpResponse(405, headers=[("Allow", "POST")], close=True))
        elif request.header("wsmanidentify").strip().lower() == "unauthenticated":
            await self._reply(request, self._endpoint.service.identify_anonymously(), Call("Identify"))
        else:
            await self._logged_in(request)

    async def _logged_in(self, request: HttpRequest) -> None:
        authorization = request.header("authorization")
        extra: list[tuple[str, str]] = []
        if authorization:
            outcome = self._login.step(authorization)
            token = sealing.encode_token(outcome.token)
            if outcome.step is Step.REJECTED:
                return await self._unauthorized(request)
            if outcome.step is Step.CONTINUE:
                # The second leg: the connection stays open, the token stands alone (reported).
                answer = [("WWW-Authenticate", f"{_OFFERS[self._login.scheme]} {token}")]
                return await self._leg(request, HttpResponse(401, headers=answer))
            self._endpoint.traffic.logged_in(self._login.scheme, self._login.principal, delegated=self._login.delegated)
            if token:
                extra = [("WWW-Authenticate", f"{_OFFERS[self._login.scheme]} {token}")]
        elif not self._login.principal:
            if sealing.is_sealed(request.header("content-type")):
                # Sealed for a connection that is gone: HTTP.sys knows no key for it (reported: 400, empty).
                return await self._other(request, HttpResponse(400, close=True))
            return await self._unauthorized(request)
        if not request.body:
            # Clients log in with an empty message before they seal the first one.
            return await self._leg(request, HttpResponse(200, headers=extra))
        return await self._message(request, extra)

    async def _message(self, request: HttpRequest, extra: list[tuple[str, str]]) -> None:
        sealed = sealing.is_sealed(request.header("content-type"))
        body = request.body
        if sealed:
            context = self._login.context
            try:
                if context is None:
                    raise sealing.SealingError("this login has no key")
                body = sealing.unseal(context, body)
            except sealing.SealingError as error:
                log.debug("%s: %s", self._endpoint.spec.name, error)
                return await self._other(request, HttpResponse(400, close=True))
        elif not self._secure and not self._endpoint.spec.allow_unencrypted:
            # AllowUnencrypted=false, logged in, but plain: reported as 500 without a body.
            return await self._other(request, HttpResponse(500, headers=extra))
        caller = Caller(self._login.principal, self._peer)
        reply, call = await self._endpoint.service.handle(body, caller, self._endpoint.spec.address)
        return await self._reply(request, reply, call, extra, sealed=sealed)

    async def _reply(
        self,
        request: HttpRequest,
        reply: Reply,
        call: Call,
        extra: list[tuple[str, str]] | None = None,
        *,
        sealed: bool = False,
    ) -> None:
        body, content_type = reply.body, reply.content_type
        context = self._login.context
        if sealed and reply.sealed and body and context is not None:
            scheme = self._login.scheme
            body, content_type = sealing.seal(context, scheme, body), sealing.content_type(scheme)
        response = HttpResponse(reply.status, body, content_type, extra or [], close=bool(reply.cut))
        sent = 0
        if reply.cut != "drop":
            sent = await self._send(response, len(body) // 2 if reply.cut == "half" else None)
        self._endpoint.traffic.call(call, request.octets, sent, 0 if reply.cut == "drop" else reply.status)
        self._endpoint.planted.answered(call)
        if reply.cut == "drop":
            raise ConnectionResetError("dropped as planted")

    async def _unauthorized(self, request: HttpRequest) -> None:
        offers = [("WWW-Authenticate", _OFFERS[scheme]) for scheme in self._schemes]
        await self._leg(request, HttpResponse(401, headers=offers, close=True))

    async def _leg(self, request: HttpRequest, response: HttpResponse) -> None:
        self._endpoint.traffic.login(request.octets, await self._send(response))

    async def _other(self, request: HttpRequest, response: HttpResponse) -> None:
        self._endpoint.traffic.other(request.octets, await self._send(response))

    async def _send(self, response: HttpResponse, body_octets: int | None = None) -> int:
        data = self._http.encode(response, self._endpoint.clock.now())
        if body_octets is not None:
            data = data[: len(data) - len(response.body) + body_octets]
        if self._endpoint.spec.round_trip:
            await asyncio.sleep(self._trips * self._endpoint.spec.round_trip.total_seconds())
            self._trips = 1
        await self._http.write(data)
        return len(data)


def _client_certificate(writer: asyncio.StreamWriter, mapping: CertificateMapping | None) -> bool:
    """Whether the client showed a certificate that stands for the endpoint's account."""
    tls = writer.get_extra_info("ssl_object")
    shown = tls.getpeercert(binary_form=True) if tls is not None else None
    return mapping is not None and shown is not None and mapping.accepts(shown)


async def serve_connection(
    endpoint: Endpoint,
    files: AccountFiles,
    directory: Directory,
    authority: Authority | None,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Serves one connection until it ends. Nothing that a client sends ends more than that."""
    spec = endpoint.spec
    secure = authority is not None
    transport = cast(asyncio.Transport, writer.transport)
    peer = writer.get_extra_info("peername")
    endpoint.connected(transport, secure=secure)
    login = Login(
        spec.account,
        spec.home,
        directory,
        spec.schemes_https if secure else spec.schemes_http,
        files,
        authority.identity(spec.address, (spec.name,)).bindings if authority else None,
        spec.channel_binding,
        spec.keytab,
        partial(_client_certificate, writer, spec.certificate_mapping),
    )
    http = HttpConnection(reader, writer)
    connection = WinRmConnection(endpoint, http, login, peer[0] if peer else "", secure=secure)
    try:
        if endpoint.is_up:
            await connection.serve()
        else:
            transport.abort()
    except (ConnectionError, asyncio.CancelledError):
        pass  # the client left, or the simulator ends: nobody is above this who could want to know
    except Exception:
        log.exception("%s: the connection ends with an error of the simulator", spec.name)
    finally:
        endpoint.disconnected(transport)
        writer.close()
