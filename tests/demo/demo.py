# SPDX-License-Identifier: GPL-3.0-or-later
"""make demo: surveys a simulated fleet, releases what is stuck, surveys it again, and shows what came of it."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap

from scene import SCENE, Run, Scene

NEVER_WRITTEN = {"PC-1401", "PC-1402", "PC-1403", "PC-1404", "LT-2201"}
"""Two live OS deployments, two live in-place upgrades, and one that waits for a restart."""

IN_HASTE = ("-e", "remediate_wave_pause=0", "-e", "remediate_wait_timeout=10", "-e", "remediate_max_failed_share=15")
"""Nothing is overdue on simulated endpoints, and two of eighteen fail."""


def main() -> int:
    with Scene() as scene:
        count = len(scene.simulator.endpoints())
        print(f"{count} simulated Windows endpoints and their site are up, on loopback addresses only. Logs: {SCENE}")
        print("Ten of them are laptops without WinRM, which are asked and released through the site.\n")
        prepare_site(scene)
        show_suspects(scene)
        before = play(scene, "3-survey", "survey")
        work = play(scene, "4-remediate", "remediate", *IN_HASTE)
        after = play(scene, "5-survey", "survey")
        show_verdicts(before, after)
        show_work(work)
        wrong = check(scene, work)
        print(f"\nAs a page to look at: {SCENE / '4-remediate.html'}")
        return wrong


def prepare_site(scene: Scene) -> None:
    """Both scripts are on the site, and approved."""
    command = ["ansible", "localhost", "-m", "configmgr.client.site_script", "-a", f"port={scene.site_port}"]
    print(f"$ {' '.join(command)}")
    log = SCENE / "1-site_script.log"
    if scene.ansible(log, *command):
        sys.exit(f"the scripts could not be put on the site: see {log}")
    print("  (a colleague approves the two scripts in the console)")
    for name in ("read_mode", "leave_mode"):
        scene.simulator.set_site_script(f"configmgr.client {name} 1", "approved")


def show_suspects(scene: Scene) -> None:
    inventory = SCENE / "fleet.configmgr.yml"
    inventory.write_text(f"plugin: configmgr.client.site\nport: {scene.site_port}\n", encoding="utf-8")
    print(f"$ ansible-inventory -i {inventory.name} --graph provisioning_suspects")
    log = SCENE / "2-suspects.log"
    if scene.ansible(log, "ansible-inventory", "-i", str(inventory), "--graph", "provisioning_suspects"):
        sys.exit(f"the site could not be asked: see {log}")
    found = re.findall(r"--(\S+)$", log.read_text(encoding="utf-8"), re.MULTILINE)
    print(wrapped("  ", f"{len(found)} suspects: {', '.join(sorted(found))}"))


def play(scene: Scene, name: str, role: str, *options: str) -> Run:
    options = ("-e", f"{role}_via_site=fallback", "-e", f"{role}_report_formats=html", *options)
    print(f"$ ansible-playbook -i inventory.yml configmgr.client.{role} {' '.join(options)}", end=" ", flush=True)
    run = scene.play(name, role, "-e", json.dumps({f"{role}_site": {"port": scene.site_port}}), *options)
    print(f"({run.seconds:.0f} s)")
    return run


def show_verdicts(before: Run, after: Run) -> None:
    print(f"\n{'VERDICT':<16}{'BEFORE':>6}  {'':<12}{'AFTER':>6}")
    for status in dict.fromkeys([*before.counts, *after.counts]):
        was, is_now = before.counts.get(status, 0), after.counts.get(status, 0)
        print(f"{status:<16}{was:>6}  {'█' * min(was, 12):<12}{is_now:>6}  {'█' * is_now}")


def show_work(work: Run) -> None:
    titles = {
        "released": "Released, and read back until it held",
        "left_alone": "Left alone",
        "failed": "Failed",
        "login_failed": "Login refused",
        "unreachable": "Not reached",
    }
    for status, title in titles.items():
        print(f"\n{title}: {work.counts.get(status, 0)}")
        for host, row in work.hosts.items():
            if row["status"] != status:
                continue
            ways = {"command": f" By command: {row.get('via_reason')}", "site": " Through the site."}
            print(wrapped(f"  {host}  ", f"{row['message']}{ways.get(row.get('via'), '')}"))


def wrapped(head: str, text: str) -> str:
    width = max(60, shutil.get_terminal_size((110, 24)).columns)
    return textwrap.fill(text, width, initial_indent=head, subsequent_indent=" " * len(head))


def check(scene: Scene, work: Run) -> int:
    """What the endpoints themselves say, not what the playbooks say of them."""
    wrong = []
    released = 0
    for endpoint in scene.simulator.endpoints():
        name = endpoint["name"]
        state = scene.simulator.endpoint(name)
        if name in NEVER_WRITTEN and state["writes"]:
            wrong.append(f"{name} was written to: {state['writes']}")
        if work.hosts[name]["status"] == "released":
            released += 1
            if state["client"]["loaded_mode"]:
                wrong.append(f"{name} was reported as released and is still in the mode")
    for line in wrong:
        print(f"WRONG: {line}")
    print(f"\nChecked on the endpoints themselves: {released} are out of the mode; nothing was ever written to")
    print(f"{', '.join(sorted(NEVER_WRITTEN))}, where a deployment or an upgrade runs or waits for a restart.")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; the simulated fleet is stopped")
