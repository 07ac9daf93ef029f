# SPDX-License-Identifier: GPL-3.0-or-later
"""make demo: surveys a simulated fleet, releases what is stuck, surveys it again, and shows what came of it."""

from __future__ import annotations

import shutil
import sys
import textwrap

from scene import SCENE, Run, Scene

NEVER_WRITTEN = {"PC-1401", "PC-1402", "PC-1403", "PC-1404"}
"""A live OS deployment, two live in-place upgrades, and one that waits for a restart."""


def main() -> int:
    with Scene() as scene:
        count = len(scene.simulator.endpoints())
        print(f"{count} simulated Windows endpoints are up, on loopback addresses only. Logs: {SCENE}\n")
        before = play(scene, "1-survey", "configmgr.client.survey")
        work = play(scene, "2-remediate", "configmgr.client.remediate", "-e", "remediate_wait_timeout=10")
        after = play(scene, "3-survey", "configmgr.client.survey")
        show_verdicts(before, after)
        show_work(work)
        return check(scene, work)


def play(scene: Scene, name: str, playbook: str, *options: str) -> Run:
    print(f"$ ansible-playbook -i inventory.yml {' '.join([playbook, *options])}", end=" ", flush=True)
    run = scene.play(name, playbook, *options)
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
            via = f" By command: {row['via_reason']}" if row.get("via") == "command" else ""
            print(wrapped(f"  {host}  ", f"{row['message']}{via}"))


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
