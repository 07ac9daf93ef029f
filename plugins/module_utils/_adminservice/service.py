# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the administration service of a ConfigMgr site: OData over HTTPS, a login for each request.

Facts: the service does not keep a login for the next request of a connection; it answers pages that ``$top`` and
``$skip`` ask for; where its process has died, requests hang, so that each has a read time-out.
"""

from __future__ import annotations

import datetime as dt
import typing as t
import warnings
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode, urljoin, urlsplit

from .._wsman.certificates import trust_of
from .._wsman.deadline import Deadline
from .._wsman.errors import (
    ConnectionLost,
    DeadlineExceeded,
    EndpointUnreachable,
    LibraryMissing,
    LoginRejected,
    LoginUnavailable,
    ProtocolError,
    SettingsError,
    TicketUnavailable,
    WSManError,
)
from .._wsman.login.kerberos import service_name
from .._wsman.login.methods import Credential, login_of
from .._wsman.settings import Settings
from .._wsman.transport.adapter import BoundedAdapter, diagnose
from .._wsman.transport.base import credentials_sent
from .._wsman.transport.braked import Attempt, Brake, begin, is_judged
from .answers import members, next_link, parsed
from .row import Row

try:
    import requests
    import urllib3
    from requests.auth import AuthBase
    from requests.utils import get_environ_proxies
except ImportError as error:
    REQUESTS_IMPORT_ERROR: ImportError | None = error
    AuthBase = object  # type: ignore[assignment, misc]
else:
    REQUESTS_IMPORT_ERROR = None
try:
    import requests_ntlm
except ImportError as error:
    NTLM_IMPORT_ERROR: ImportError | None = error
else:
    NTLM_IMPORT_ERROR = None
try:
    import requests_kerberos
    import spnego
except ImportError as error:
    KERBEROS_IMPORT_ERROR: ImportError | None = error
else:
    KERBEROS_IMPORT_ERROR = None

PAGE_SIZE = 1000
TOKEN = "token"  # noqa: S105
"""The login method, beside those of ``_wsman``, of whoever got a token from Microsoft Entra ID."""

Log = t.Callable[[str], None]


class AdminService:
    """``settings.path`` is that of the service, ``token`` stands in the place of a login.

    Logins go by the *brake*, *log* is told each request and the status of its answer.
    """

    def __init__(
        self, settings: Settings, deadline: Deadline, *, token: str | None, brake: Brake, log: Log
    ) -> None:
        self._settings = settings
        self._deadline = deadline
        self._brake = brake
        self._log = log
        self._token = token
        self._login = None if token else login_of(settings)
        self._credential: Credential | None = None
        self._let_in = False
        self._adapter = BoundedAdapter(deadline, settings)
        self._session = requests.Session()
        self._adapter.mount_on(self._session)
        self._session.proxies = get_environ_proxies(settings.url)
        self._session.verify = (trust_of(settings)[1] or True) if settings.validate_certificate else False
        self._session.headers.update({"Accept": "application/json"})
        self.now: dt.datetime | None = None
        """The service's clock as of its last answer; None before."""

    def __enter__(self) -> AdminService:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    @property
    def url(self) -> str:
        return self._settings.url

    def get(self, resource: str, **query: str | int) -> t.Any:
        """The answer for a *resource* such as ``wmi/SMS_Site``; *query* are OData's options without their dollar."""
        return self._ask("GET", self._url(resource, query))

    def post(self, resource: str, body: t.Mapping[str, t.Any]) -> t.Any:
        """ConnectionLost and DeadlineExceeded leave open whether it was carried out."""
        return self._ask("POST", self._url(resource, {}), body)

    def delete(self, resource: str) -> None:
        self._ask("DELETE", self._url(resource, {}))

    def members(self, resource: str, **query: str | int) -> list[Row]:
        """The objects of one answer, as of a key: those of a class may be more than one page."""
        url = self._url(resource, query)
        return members(url, self._ask("GET", url))

    def rows(self, resource: str, key: str, **query: str) -> t.Iterator[Row]:
        """All objects, page by page; each is told once, by its *key*, however the pages overlap.

        Raises ProtocolError for a page that repeats the one before, which would go on for ever.
        """
        seen: set[t.Any] = set()
        skip = 0
        url: str | None = self._url(resource, {**query, "top": PAGE_SIZE, "skip": skip})
        while url:
            answer = self._ask("GET", url)
            page = members(url, answer)
            fresh = [row for row in page if row.get(key) not in seen]
            if page and not fresh:
                raise ProtocolError(f"{url} answered a page that was there before")
            seen.update(row.get(key) for row in fresh)
            yield from fresh
            skip += len(page)
            link = next_link(answer)
            if link:
                url = self._own(urljoin(url, link))
            elif len(page) < PAGE_SIZE:
                url = None
            else:
                url = self._url(resource, {**query, "top": PAGE_SIZE, "skip": skip})

    def _url(self, resource: str, query: t.Mapping[str, str | int]) -> str:
        options = urlencode({f"${name}": value for name, value in query.items()}, quote_via=quote, safe="$,'()/:")
        return f"{self._settings.url}/{quote(resource, safe=_SAFE)}" + (f"?{options}" if options else "")

    def _own(self, link: str) -> str:
        """A link of an answer: credentials go to nobody but the service that was named."""
        here, there = urlsplit(self._settings.url), urlsplit(link)
        if (there.scheme, there.hostname, there.port or 443) != (here.scheme, here.hostname, here.port or 443):
            raise ProtocolError(f"{self._settings.url} leads on to {link}, which is another service")
        return link

    # -- one request -----------------------------------------------------------------------------------------------

    def _ask(self, method: str, url: str, body: t.Mapping[str, t.Any] | None = None) -> t.Any:
        if self._let_in or self._token or not is_judged(self._settings):
            status, answer = self._send(method, url, body, None)
        else:
            with begin(self._brake, self._deadline) as attempt:
                status, answer = self._send(method, url, body, attempt)
        return parsed(url, status, answer)

    def _send(
        self, method: str, url: str, body: t.Mapping[str, t.Any] | None, attempt: Attempt | None
    ) -> tuple[int, bytes]:
        """Status and body; *attempt* is the login's turn, where it needs one."""
        try:
            with warnings.catch_warnings():
                # That nobody validates is the user's own choice, and would be told with each request.
                warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
                response = self._session.request(
                    method, url, json=body, auth=self._auth(), timeout=self._settings.read_timeout
                )
            self._deadline.remaining()
        except Exception as error:
            failure = self._translated(error)
            if attempt is not None and isinstance(failure, LoginRejected):
                attempt.rejected()
            elif attempt is not None and not credentials_sent(error):
                attempt.untried()
            if failure is error:
                raise
            raise failure from error
        self._log(f"{method} {url} -> {response.status_code}")
        with suppress(ValueError, TypeError, KeyError):
            self.now = parsedate_to_datetime(response.headers["Date"]).astimezone(dt.timezone.utc)
        if response.status_code == 401:
            if attempt is not None:
                attempt.rejected()
            elif self._let_in:
                self._brake.rejected()
            raise self._unauthorized()
        if attempt is not None:
            attempt.accepted()
        self._let_in = True
        return response.status_code, response.content

    def _auth(self) -> t.Any:
        """A new one for each request: the libraries take a login for one that lasts as long as its connection."""
        if self._token:
            return _Bearer(self._token)
        missing = missing_library(self._settings)
        if missing:
            raise LibraryMissing(missing)
        if self._settings.auth == "ntlm":
            return requests_ntlm.HttpNtlmAuth(self._settings.username, self._settings.password)
        if self._credential is None and self._login is not None:
            self._credential = self._login.credential()
        cache = self._credential.cache if self._credential else None
        return requests_kerberos.HTTPKerberosAuth(
            mutual_authentication=requests_kerberos.OPTIONAL,  # TLS has proved who it is
            service=self._settings.service,
            hostname_override=self._settings.kerberos_hostname_override,
            principal=spnego.KerberosCCache(cache) if cache else self._settings.username,
            force_preemptive=True,
        )

    def _named(self, name: str) -> str:
        return self._settings.names[name]

    def _unauthorized(self) -> WSManError:
        url, who = self._settings.url, self._settings.username
        if self._token:
            return LoginRejected(f"{url} refused the token: it may have expired, or is made for another service")
        if self._settings.auth == "ntlm":
            return LoginRejected(f"{url} rejected the login of {who} with ntlm. {self._of_ntlm()}")
        return TicketUnavailable(
            f"{url} refused the ticket of {who or 'the cache'} for {service_name(self._settings)}: the account may have"
            " no role on this site, or that service name may belong to another account than the server's own"
        )

    def _of_ntlm(self) -> str:
        return (
            "From version 2509 on the service refuses ntlm, whatever the password is: set"
            f" {self._named('auth')} to kerberos there"
        )

    def _translated(self, error: Exception) -> Exception:
        """What a failure of the libraries means; *error* itself where it says so already."""
        if isinstance(error, WSManError):
            return error
        for cause in _causes(error):  # requests-kerberos wraps what pyspnego raised, which knows the code
            of_login = self._login.explain(cause) if self._login else None
            if of_login is not None:
                return of_login
        url = self._settings.url
        if isinstance(error, PermissionError):  # requests_ntlm: no challenge came, so no password was sent
            return LoginUnavailable(f"{url} takes no logins with ntlm. {self._of_ntlm()}")
        if isinstance(error, requests.RequestException) and not isinstance(error, ValueError):
            with suppress(DeadlineExceeded):
                self._deadline.remaining()
                layer, reason, remedy = diagnose(error)
                if self._let_in:
                    return ConnectionLost(f"{url} stopped answering: {reason}")
                return EndpointUnreachable(f"{url} cannot be reached: {reason}", layer, remedy or f"site_{layer}")
            return DeadlineExceeded(f"not finished within the deadline of {self._deadline.seconds:g} s")
        return SettingsError(f"no request can be made of {url} ({type(error).__name__})")


def missing_library(settings: Settings) -> str | None:
    """What has to be installed for a login by these settings; None where nothing."""
    library, error = {
        "ntlm": ("requests_ntlm", NTLM_IMPORT_ERROR),
        "kerberos": ("requests-kerberos", KERBEROS_IMPORT_ERROR),
    }[settings.auth]
    if error is None:
        return None
    return f"{settings.names['auth']}={settings.auth} needs {library}: pip install {library} ({error})"


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: t.Any) -> t.Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


_SAFE = "/()=',:-"
"""Of a resource: what OData gives a meaning there."""


def _causes(error: BaseException) -> t.Iterator[Exception]:
    while isinstance(error, Exception):
        yield error
        if error.__cause__ is None:
            return
        error = error.__cause__
