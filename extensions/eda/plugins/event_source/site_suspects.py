# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raises an event with the clients that a ConfigMgr site suspects of being in provisioning mode."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import time
from typing import Any

DOCUMENTATION = r"""
---
short_description: Watch a ConfigMgr site for clients that may be in provisioning mode
description:
  - Reads an inventory of the plugin C(configmgr.client.site) again and again. Hosts in its group
    C(provisioning_suspects) are online, and ask for no policy.
  - An event has O(at_most) of them in C(hosts), and as its C(meta.hosts), to which an action is limited. A host comes
    up again after O(again_after) at the earliest, so that what cannot be helped is not tried each time.
  - Where the site does not answer three times in a row, the source ends, as a password that has become wrong would lock
    its account.
options:
  inventory:
    description: Path of the configuration of the inventory, which ends in C(configmgr.yml).
    type: str
    required: true
  interval:
    description: Seconds from one look to the next, 60 or more.
    type: int
    default: 900
  at_most:
    description: Hosts of an event, 1 or more. Others that are suspected wait for the next look.
    type: int
    default: 10
  again_after:
    description: Seconds after which a host that is suspected still comes up again.
    type: int
    default: 86400
"""

EXAMPLES = r"""
- configmgr.client.site_suspects:
    inventory: /etc/ansible/site.configmgr.yml
    interval: 1800
"""

_GROUP = "provisioning_suspects"
_FAILURES = 3
_LEAST = {"interval": (900, 60), "at_most": (10, 1), "again_after": (86400, 0)}
"""Default and least value of each option that is a number."""

_ENVIRONMENT = {
    "ANSIBLE_INVENTORY_ENABLED": "configmgr.client.site",  # no other plugin adds its complaints
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",  # else a site that refuses is one without suspects
}

_logger = logging.getLogger(__name__)


class SiteSilent(Exception):
    """The inventory could not be read so often that it is given up."""


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """What ansible-rulebook calls. Raises ValueError for options that cannot be, and SiteSilent."""
    inventory, numbers = _options(args)
    throttle = Throttle(numbers["at_most"], numbers["again_after"])
    failures = 0
    while True:
        try:
            suspects = await _suspects(inventory)
            failures = 0
        except _NotRead as error:
            failures += 1
            if failures == _FAILURES:
                raise SiteSilent(f"{inventory} could not be read {failures} times in a row: {error}") from error
            _logger.warning("%s could not be read: %s", inventory, error)
        else:
            hosts = throttle.due(list(suspects), time.monotonic())
            if hosts:
                told = [{"host": host, "reasons": suspects[host]} for host in hosts]
                await queue.put({"hosts": hosts, "suspects": told, "meta": {"hosts": hosts}})
        await asyncio.sleep(numbers["interval"])


class Throttle:
    """Who of those that are suspected is due, so many at a time, each again after so many seconds."""

    def __init__(self, at_most: int, again_after: float) -> None:
        self._at_most = at_most
        self._again_after = again_after
        self._raised: dict[str, float] = {}

    def due(self, suspects: list[str], now: float) -> list[str]:
        """Those that were never raised, or longest ago, come first. *now* is in seconds."""
        waiting = [host for host in suspects if now - self._raised.get(host, -math.inf) >= self._again_after]
        hosts = sorted(waiting, key=lambda host: (self._raised.get(host, -math.inf), host))[: self._at_most]
        self._raised.update(dict.fromkeys(hosts, now))
        return hosts


class _NotRead(Exception):
    """The message is of ansible-inventory."""


def _options(args: dict[str, Any]) -> tuple[str, dict[str, int]]:
    known = {"inventory", *_LEAST}
    unknown = sorted(set(args) - known - {"eda_feedback_queue"})  # which is ansible-rulebook's own
    if unknown:
        raise ValueError(f"{unknown[0]} is no option: give {', '.join(sorted(known))}")
    if not isinstance(args.get("inventory"), str) or not args["inventory"]:
        raise ValueError("inventory is required: the path of a configuration of the plugin configmgr.client.site")
    numbers = {}
    for name, (default, least) in _LEAST.items():
        try:
            numbers[name] = int(args.get(name, default))
        except (TypeError, ValueError):
            raise ValueError(f"{name}={args[name]} is no whole number: give {least} or more") from None
        if numbers[name] < least:
            raise ValueError(f"{name}={args[name]} is too small: give {least} or more")
    return args["inventory"], numbers


async def _suspects(inventory: str) -> dict[str, list[str]]:
    """The hosts that are suspected, each with the reasons."""
    try:
        process = await asyncio.create_subprocess_exec(
            *("ansible-inventory", "-i", inventory, "--list"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
        )
    except OSError as error:
        raise _NotRead(f"ansible-inventory cannot be started: {error.strerror}") from error
    try:
        said, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise _NotRead(complaints.decode(errors="replace").strip()[-500:])
    listed = json.loads(said, object_hook=_unmarked)
    variables = listed["_meta"]["hostvars"]
    return {
        host: list(variables.get(host, {}).get("configmgr_device", {}).get("provisioning_suspect_reasons", []))
        for host in listed.get(_GROUP, {}).get("hosts", [])
    }


def _unmarked(found: dict[str, Any]) -> Any:
    """ansible-inventory marks a text that must not be taken for a template so."""
    return found.get("__ansible_unsafe", found)
