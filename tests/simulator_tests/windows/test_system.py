# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows says of itself: its processes, its name, how far its Setup is."""

from __future__ import annotations

from .conftest import Endpoint


def test_processes_tell_path_and_command_line_but_for_the_protected_ones() -> None:
    endpoint = Endpoint()
    quoted = '"C:\\Program Files\\OSD Tools\\OSDPrepare.exe" /quiet "/log:C:\\x y.log"'
    endpoint.machine.fire("start_process", command_line=quoted)
    endpoint.machine.fire("start_process", command_line="C:\\$WINDOWS.~BT\\Sources\\SetupHost.exe /Install")
    endpoint.machine.fire("start_process", name="Setup_1.exe", path="D:\\Setup_1.exe", protected=True)
    wql = "SELECT Name,ProcessId,ExecutablePath,CommandLine FROM Win32_Process WHERE "
    rows = endpoint.rows("root/cimv2", wql + "Name LIKE 'osd%' OR Name LIKE 'Setup[A-Z]%' OR Name='lsass.exe'")
    assert [(row["ExecutablePath"], row["CommandLine"]) for row in rows] == [
        (None, None),
        ("C:\\Program Files\\OSD Tools\\OSDPrepare.exe", quoted),
        ("C:\\$WINDOWS.~BT\\Sources\\SetupHost.exe", "C:\\$WINDOWS.~BT\\Sources\\SetupHost.exe /Install"),
    ]
    (hidden,) = endpoint.rows("root/cimv2", wql + "Name LIKE 'Setup_1%' AND NOT Name LIKE 'Setup[^_]%'")
    assert (hidden["ExecutablePath"], hidden["CommandLine"]) == (None, None)
    system = {"System", "smss.exe", "csrss.exe", "wininit.exe", "services.exe", "lsass.exe", "svchost.exe"}
    before = endpoint.rows("root/cimv2", wql + "ExecutablePath IS NULL")
    assert {str(row["Name"]) for row in before} - {"Setup_1.exe"} > system - {"svchost.exe"}
    endpoint.machine.fire("reboot")
    names = [str(row["Name"]) for row in endpoint.rows("root/cimv2", "SELECT Name FROM Win32_Process")]
    assert set(names) > system | {"winlogon.exe"}
    assert (names.count("lsass.exe"), names.count("spoolsv.exe"), names.count("Setup_1.exe")) == (1, 1, 0)
    opened = Endpoint(variants={"lsa_protection": False})
    assert opened.rows("root/cimv2", wql + "Name='lsass.exe'")[0]["ExecutablePath"]


def test_a_long_name_is_cut_where_windows_cuts_it() -> None:
    endpoint = Endpoint()
    endpoint.machine.patch({"machine_name": "ws-berlin-000123"})
    (computer,) = endpoint.rows("root/cimv2", "SELECT Name,DNSHostName FROM Win32_ComputerSystem")
    (system,) = endpoint.rows("root/cimv2", "SELECT CSName FROM Win32_OperatingSystem")
    assert (computer["Name"], computer["DNSHostName"]) == ("WS-BERLIN-00012", "ws-berlin-000123")
    assert system["CSName"] == "WS-BERLIN-00012"


def test_setup_says_on_every_machine_that_it_ended() -> None:
    names = Endpoint().registry("EnumValues", "SYSTEM\\Setup")["sNames"]
    assert isinstance(names, list)
    assert {"CmdLine", "OOBEInProgress", "SetupPhase", "SetupType", "SystemSetupInProgress"} <= set(names)
    state = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Setup\\State"
    assert Endpoint().text("ImageState", state) == "IMAGE_STATE_COMPLETE"
    assert Endpoint("live_osd").text("ImageState", state) == "IMAGE_STATE_UNDEPLOYABLE"
