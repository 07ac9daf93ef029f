# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the collection go by a simulated fleet's clock, where FLEET_CONTROL names its control interface.

Python imports this by itself from a directory on PYTHONPATH. A pause of the collection moves that clock, so minutes
pass at once; everybody else in the process keeps the real time.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from typing import Any

_COLLECTION = "ansible_collections.configmgr.client."
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _clock(body: Any = None) -> float:
    data = None if body is None else json.dumps(body).encode()
    with _OPENER.open(os.environ["FLEET_CONTROL"] + "/clock", data, timeout=60) as response:
        return datetime.fromisoformat(json.load(response)["now"]).timestamp()


def _pause(seconds: float) -> None:
    _clock({"advance": seconds})


def _for_the_collection(ours: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def either(*arguments: Any) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        return (ours if caller.startswith(_COLLECTION) else real)(*arguments)

    return either


if "FLEET_CONTROL" in os.environ:
    time.monotonic = _for_the_collection(_clock, time.monotonic)
    time.sleep = _for_the_collection(_pause, time.sleep)
