# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of a fresh Windows, as far as anybody here looks at it. Built once, shared by all machines."""

from __future__ import annotations

from functools import cache

from .registry import Key, Registry, RegType, RegValue
from .service_record import background_services
from .services import write_to_registry

SETUP = "HKLM\\SYSTEM\\Setup"
MOSETUP = f"{SETUP}\\MoSetup\\Volatile"
IMAGE = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Setup\\State"
IMAGE_STATE, IMAGE_COMPLETE = "ImageState", "IMAGE_STATE_COMPLETE"
MINI_NT = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\MiniNT"
WINDOWS_NT = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
RUN_ONCE = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce"
COMPUTER_NAME = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName"
TCPIP = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"

_EMPTY_KEYS = (
    "HKLM\\SOFTWARE\\Classes",
    "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run",
    RUN_ONCE,
    "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies",
    "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\AddressBook",
    "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows",
    "HKLM\\SOFTWARE\\WOW6432Node\\Microsoft",
    "HKLM\\SAM\\SAM",
    "HKLM\\SECURITY",
    "HKLM\\HARDWARE\\DESCRIPTION\\System",
    "HKCR\\.txt",
    "HKCU\\Software",
    "HKU\\.DEFAULT\\Software",
    "HKU\\S-1-5-18\\Software",
    "HKU\\S-1-5-19\\Software",
    "HKU\\S-1-5-20\\Software",
    "HKCC\\Software",
)


@cache
def fresh_windows() -> Key:
    registry = Registry()
    for path in _EMPTY_KEYS:
        registry.create_key(path)
    # SYSTEM\Setup between upgrades (KB 939857 for the meaning of SetupType and CmdLine; official).
    for name in ("OOBEInProgress", "SetupPhase", "SetupType", "SystemSetupInProgress"):
        registry.set_value(SETUP, name, RegValue.dword(0))
    registry.set_value(SETUP, "CmdLine", RegValue.sz(""))
    registry.set_value(SETUP, "OsLoaderPath", RegValue.sz("\\"))
    registry.set_value(SETUP, "RestartSetup", RegValue.dword(0))
    registry.set_value(SETUP, "SetupSupported", RegValue.dword(1))
    registry.set_value(SETUP, "SystemPartition", RegValue.sz("\\Device\\HarddiskVolume1"))
    registry.set_value(SETUP, "WorkingDirectory", RegValue.sz("C:\\Windows\\Panther"))
    # What Windows Setup says of itself; IMAGE_STATE_UNDEPLOYABLE and others while it has not ended (official).
    registry.set_value(IMAGE, IMAGE_STATE, RegValue.sz(IMAGE_COMPLETE))
    registry.set_value(WINDOWS_NT, "SystemRoot", RegValue.sz("C:\\Windows"))
    registry.set_value(WINDOWS_NT, "InstallationType", RegValue.sz("Client"))
    registry.set_value(
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment",
        "Path",
        RegValue(RegType.EXPAND_SZ, "%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem"),
    )
    for service in background_services().values():
        write_to_registry(registry, service)
    return registry.root
