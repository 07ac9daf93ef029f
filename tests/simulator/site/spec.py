# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fleet file says about the site, and about what the site knows of a machine; validated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..server.accounts import Account
from ..windows.reading import Reader, SpecError

RIGHTS = ("read", "notify", "run_scripts", "author_scripts", "approve_scripts", "cmpivot")
FIRST_BUILD_WITHOUT_NTLM = 9141  # release 2509
_ACTS = ("hang", "drip", "half", "html", "garbage", "close", "empty", "fire")
_SITE_KEYS = (
    *("address", "provider", "code", "name", "build", "credentials", "keytab", "token", "token_lasts", "logins"),
    *("rights", "role", "host", "visible", "collections", "largest_page", "next_links", "ignores_skip"),
    *("faults", "latency", "pending", "fast_channel", "reaches_mode", "own_approval", "cmpivot_answers", "most_cells"),
)
_RECORD_KEYS = (
    *("resource_id", "name", "online", "online_since", "policy", "heartbeat", "inventory", "client", "obsolete"),
    *("site_code", "addresses", "fqdn", "answers", "output"),
)


@dataclass(frozen=True)
class FaultSpec:
    """What happens to the requests whose method and target match, from the *first* to the *last* of them."""

    pattern: re.Pattern[str]
    act: str
    status: int = 0
    first: int = 1
    last: int = 10**9
    machine: str = ""
    event: str = ""
    """What happens to which machine, for the act of fire: right before the request is answered as ever."""

    @classmethod
    def read(cls, data: Any, where: str) -> FaultSpec:
        reader = Reader(data, where, ("target", "act", "status", "nth", "machine", "event"))
        status = reader.number("status", 0)
        act = reader.one_of("act", ("status", *_ACTS), "status")
        nth = reader.number("nth", 0)
        try:
            pattern = re.compile(reader.text("target", ""), re.IGNORECASE)
        except re.error:
            raise reader.wrong("target", "a regular expression") from None
        first, last = (nth, nth) if nth else (1, cls.last)
        return cls(pattern, act, status, first, last, reader.text("machine", ""), reader.text("event", ""))


@dataclass(frozen=True)
class CollectionSpec:
    """Members by their machines' names; None: all."""

    id: str
    name: str
    members: tuple[str, ...] | None = None
    of_users: bool = False

    @classmethod
    def read(cls, data: Any, where: str) -> CollectionSpec:
        reader = Reader(data, where, ("id", "name", "members", "of_users"))
        identifier = reader.text("id", "")
        if not re.fullmatch(r"[A-Z0-9]{8}", identifier):
            raise SpecError(f"{where}.id: {identifier!r} … allowed: eight letters and digits, such as PS100012")
        members = reader.texts("members") if "members" in reader else None
        return cls(identifier, reader.text("name", identifier), members, reader.boolean("of_users", False))


@dataclass(frozen=True)
class SiteSpec:
    """``role`` none has the account known to the domain alone; ``host`` tells what answers at the address.

    What nobody has settled is a switch: ``reaches_mode`` says whether Run Scripts and CMPivot reach a client in the
    mode, ``cmpivot_answers`` which of the two reported shapes results have.
    """

    address: str
    account: Account
    provider: str = "cm01.corp.example"
    code: str = "PS1"
    name: str = "Primary Site One"
    build: int = 9128
    keytab: str = ""
    token: str = ""
    token_lasts: int = 0
    """Requests; 0: for ever."""
    logins: tuple[str, ...] = ("kerberos", "ntlm", "token")
    rights: tuple[str, ...] = RIGHTS
    role: str = "some"
    host: str = "provider"
    visible: tuple[str, ...] | None = None
    collections: tuple[CollectionSpec, ...] = ()
    largest_page: int = 0
    next_links: bool = False
    ignores_skip: bool = False
    latency: timedelta = timedelta(seconds=2)
    """By the fleet's clock, of each request for a result."""
    pending: int = 1
    """How often a result is asked for before it is there."""
    fast_channel: str = "up"
    reaches_mode: bool = True
    own_approval: bool = False
    """Whether authors may approve their own scripts."""
    cmpivot_answers: str = "list"
    most_cells: int = 100_000
    """Of a result of CMPivot (documented)."""
    faults: tuple[FaultSpec, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(cls, data: Any, where: str, account: Account) -> SiteSpec:
        reader = Reader(data, where, _SITE_KEYS)
        given = Reader(reader.raw("credentials"), f"{where}.credentials", ("username", "password"))
        faults = reader.raw("faults") or []
        collections = reader.raw("collections") or []
        return cls(
            address=reader.text("address", "127.19.0.1"),
            account=Account(given.text("username", account.username), given.text("password", account.password)),
            provider=reader.text("provider", cls.provider),
            code=reader.text("code", cls.code),
            name=reader.text("name", cls.name),
            build=reader.number("build", cls.build),
            keytab=reader.text("keytab", cls.keytab),
            token=reader.text("token", cls.token),
            token_lasts=reader.number("token_lasts", cls.token_lasts),
            logins=reader.texts("logins", cls.logins),
            rights=reader.texts("rights", cls.rights),
            role=reader.one_of("role", ("some", "none", "none_401", "denied"), cls.role),
            host=reader.one_of("host", ("provider", "web_server"), cls.host),
            visible=reader.texts("visible") if "visible" in reader else None,
            collections=tuple(
                CollectionSpec.read(each, f"{where}.collections[{n}]") for n, each in enumerate(collections)
            ),
            largest_page=reader.number("largest_page", cls.largest_page),
            next_links=reader.boolean("next_links", cls.next_links),
            ignores_skip=reader.boolean("ignores_skip", cls.ignores_skip),
            latency=reader.duration("latency", cls.latency),
            pending=reader.number("pending", cls.pending, minimum=0),
            fast_channel=reader.one_of("fast_channel", ("up", "dead"), cls.fast_channel),
            reaches_mode=reader.boolean("reaches_mode", cls.reaches_mode),
            own_approval=reader.boolean("own_approval", cls.own_approval),
            cmpivot_answers=reader.one_of("cmpivot_answers", ("list", "object"), cls.cmpivot_answers),
            most_cells=reader.number("most_cells", cls.most_cells, minimum=0),
            faults=tuple(FaultSpec.read(each, f"{where}.faults[{n}]") for n, each in enumerate(faults)),
            source=dict(data or {}),
        )

    @property
    def takes_ntlm(self) -> bool:
        return "ntlm" in self.logins and self.build < FIRST_BUILD_WITHOUT_NTLM


@dataclass(frozen=True)
class RecordSpec:
    """How the site's record of a machine differs from the truth, or from what is usual.

    ``policy``, ``heartbeat``, ``inventory`` and ``online_since`` are ages; None: as the machine has it. ``answers``
    says what becomes of scripts and CMPivot on it, ``output`` what a script prints there in place of its own.
    """

    resource_id: int | None = None
    name: str | None = None
    online: bool | None = True
    online_since: timedelta | None = timedelta(days=2)
    policy: timedelta | None = None
    heartbeat: timedelta = timedelta(days=1)
    inventory: timedelta = timedelta(days=3)
    client: bool = True
    obsolete: bool = False
    site_code: str | None = None
    addresses: tuple[str, ...] | None = None
    fqdn: bool = True
    answers: str = "yes"
    output: str | None = None

    @classmethod
    def read(cls, data: Any, where: str) -> RecordSpec:
        reader = Reader(data, where, _RECORD_KEYS)
        online = reader.raw("online", True)
        if online is not None and not isinstance(online, bool):
            raise reader.wrong("online", "true, false, or null for never")
        return cls(
            reader.number("resource_id", 0) or None,
            reader.text("name", "") or None,
            online,
            None if reader.raw("online_since", "") is None else reader.duration("online_since", timedelta(days=2)),
            reader.duration("policy", timedelta()) if "policy" in reader else None,
            reader.duration("heartbeat", cls.heartbeat),
            reader.duration("inventory", cls.inventory),
            reader.boolean("client", True),
            reader.boolean("obsolete", False),
            reader.text("site_code", "") or None,
            reader.texts("addresses") if "addresses" in reader else None,
            reader.boolean("fqdn", True),
            reader.one_of("answers", ("yes", "never", "lost", "error"), cls.answers),
            reader.text("output", "") if "output" in reader else None,
        )
