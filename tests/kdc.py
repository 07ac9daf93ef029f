# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kerberos realm of a test's own: MIT's KDC on a loopback port, its database and all settings in one directory.

No file of the system is read or written, and no right is needed beyond those of whoever runs the tests.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

with suppress(ImportError):  # told by `missing`
    import krb5

REALM = "CORP.TEST"
_STARTED_WITHIN = 30.0
_ATTEMPTS = 5
_PROGRAMS = {"krb5kdc": "krb5-kdc", "kdb5_util": "krb5-kdc", "kadmin.local": "krb5-admin-server", "kinit": "krb5-user"}
_LIBRARIES = ("gssapi", "krb5", "kerberos")
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"


def missing() -> str:
    """What this machine lacks for a realm; empty where it has everything."""
    packages = {package for program, package in _PROGRAMS.items() if shutil.which(program, path=_PATH) is None}
    if packages:
        return f"no KDC: install {' and '.join(sorted(packages))}"
    libraries = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if libraries:
        return f"no Python packages {', '.join(libraries)}: install libkrb5-dev and gcc, then make clean"
    return ""


class Kdc:
    """The database of a realm. `with realm.running() as environment: …` has a KDC answer for it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._log = directory / "kdc.log"
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "of no use")

    # -- settings --------------------------------------------------------------------------------------------------

    def config(self, name: str = "krb5.conf", port: int = 0) -> dict[str, str]:
        """The environment of a client of this KDC, or of one on another port."""
        path = self.directory / name
        lines = (
            "[libdefaults]",
            f" default_realm = {REALM}",
            " dns_lookup_kdc = false",
            " dns_lookup_realm = false",
            " dns_canonicalize_hostname = false",
            " rdns = false",
            " udp_preference_limit = 1",
            "[realms]",
            f" {REALM} = {{",
            f"  kdc = 127.0.0.1:{port or self.port}",
            " }",
            "[domain_realm]",
            f" .corp.test = {REALM}",
            "",
        )
        path.write_text("\n".join(lines), encoding="utf-8")
        return {"KRB5_CONFIG": str(path)}

    # -- principals ------------------------------------------------------------------------------------------------

    def add_user(self, name: str, password: str, *options: str) -> str:
        """A user who has to prove the password before any ticket is given out, as Active Directory has it."""
        self._admin(f'add_principal +requires_preauth {" ".join(options)} -pw "{password}" {name}')
        return f"{name}@{REALM}"

    def add_machines(self, hosts: Iterable[str], services: Sequence[str] = ("HTTP",)) -> dict[str, str]:
        """Services such as HTTP/pc-1.corp.test; by host the keytab with the keys of its own."""
        keytabs = {host: str(self.directory / f"{host}.keytab") for host in hosts}
        names = [(f"{service}/{host}", keytab) for host, keytab in keytabs.items() for service in services]
        lines = [f"add_principal -randkey {name}" for name, _ in names]
        self._admin(*lines, *(f"ktadd -q -k {keytab} {name}" for name, keytab in names))
        return keytabs

    def ticket(self, principal: str, password: str, *options: str) -> dict[str, str]:
        """The environment of a client that holds a ticket already: kinit, with further options of its own."""
        cache = self.directory / f"cache-{len(list(self.directory.glob('cache-*')))}"
        environment = {**self.config(), "KRB5CCNAME": f"FILE:{cache}"}
        self._run("kinit", *options, principal, text=f"{password}\n", environment=environment)
        return environment

    # -- processes -------------------------------------------------------------------------------------------------

    @contextmanager
    def running(self, *, clock: timedelta = timedelta()) -> Iterator[dict[str, str]]:
        """Answers until the end; the environment of a client. One with another *clock* answers beside the usual one."""
        port, process = self._start(clock)
        if not clock:
            self.port = port
        try:
            yield self.config(f"krb5-{port}.conf", port)
        finally:
            process.terminate()
            process.wait()

    def _start(self, clock: timedelta) -> tuple[int, subprocess.Popen[bytes]]:
        for _ in range(_ATTEMPTS):  # somebody else may take the free port first
            port = free_port()
            profile, output = self.directory / f"kdc-{port}.conf", self.directory / f"kdc-{port}.out"
            listening = f" kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n"
            profile.write_text(f"[kdcdefaults]\n{listening}{self._realm()}", encoding="utf-8")
            command = [_path("krb5kdc"), "-n", "-r", REALM, "-P", str(profile.with_suffix(".pid"))]
            command += ["-T", str(int(clock.total_seconds()))] if clock else []
            with output.open("wb") as file:
                process = subprocess.Popen(
                    command, env=self._environment(profile), stdin=subprocess.DEVNULL, stdout=file, stderr=file
                )
            deadline = time.monotonic() + _STARTED_WITHIN
            while process.poll() is None and time.monotonic() < deadline:
                if _answers(port):
                    return port, process
                time.sleep(0.01)
            process.kill()
            process.wait()
        raise RuntimeError(f"the KDC did not start: {output.read_text()}")

    def requests(self, kind: str, client: str, outcome: str = "ISSUE") -> int:
        """How many requests of a *client* the log has: AS_REQ for a first ticket, TGS_REQ for one to a service."""
        told = (f" {kind} ", f" {outcome}: ", f" {client} for ")
        return sum(all(each in line for each in told) for line in self._log.read_text(encoding="utf-8").splitlines())

    def _realm(self) -> str:
        return (
            f"[realms]\n {REALM} = {{\n  database_name = {self.directory}/principal\n"
            f"  key_stash_file = {self.directory}/stash\n  max_life = 10h\n }}\n"
            f"[logging]\n kdc = FILE:{self._log}\n"
        )

    def _environment(self, profile: Path) -> dict[str, str]:
        return {"PATH": _PATH, "LC_ALL": "C", **self.config(), "KRB5_KDC_PROFILE": str(profile)}

    def _admin(self, *lines: str) -> None:
        self._run("kadmin.local", "-r", REALM, text="".join(f"{line}\n" for line in lines))

    def _run(self, program: str, *arguments: str, text: str = "", environment: Mapping[str, str] | None = None) -> None:
        profile = self.directory / "kdc.conf"
        profile.write_text(self._realm(), encoding="utf-8")
        done = subprocess.run(
            [_path(program), *arguments],
            env={**self._environment(profile), **(environment or {})},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        # kadmin.local ends with 0 whatever its commands came to, and says what went wrong on stderr.
        wrong = [line for line in done.stderr.splitlines() if not line.startswith(("No policy", "WARNING: no policy"))]
        if done.returncode or (program == "kadmin.local" and wrong):
            raise RuntimeError(f"{program}: {done.stderr}{done.stdout}")


def expire(environment: Mapping[str, str]) -> None:
    """Has the tickets of a cache end in the past: their times stand in it unencrypted, for the client alone."""
    path = Path(environment["KRB5CCNAME"].removeprefix("FILE:"))
    octets = path.read_bytes()
    context = krb5.init_context()
    for ticket in krb5.cc_resolve(context, os.fsencode(path)):
        begins, ends = ticket.times.authtime, ticket.times.endtime
        if ends:  # the cache's own settings lie in it as tickets without times
            octets = octets.replace(struct.pack(">I", ends), struct.pack(">I", begins - 3600))
    path.write_bytes(octets)


def _path(program: str) -> str:
    return shutil.which(program, path=_PATH) or program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
