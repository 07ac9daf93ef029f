# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ansible inventory for a running fleet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml


def inventory(ready: dict[str, Any], *, https: bool = False) -> str:
    hosts = {
        entry["inventory_name"]: {
            "ansible_host": entry["address"],
            "ansible_user": entry["username"],
            "ansible_password": entry["password"],
        }
        for entry in ready["endpoints"]
    }
    settings: dict[str, Any] = {
        "ansible_connection": "winrm",
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_scheme": "https" if https else "http",
        "ansible_port": ready["https_port" if https else "http_port"],
    }
    if https:
        settings["ansible_winrm_ca_trust_path"] = ready["ca_file"]
    return yaml.safe_dump({"windows": {"vars": settings, "hosts": hosts}}, sort_keys=False)


def read_ready_file(path: Path) -> dict[str, Any]:
    ready: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return ready
