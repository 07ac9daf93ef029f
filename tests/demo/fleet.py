# SPDX-License-Identifier: GPL-3.0-or-later
"""make fleet: leaves the demo's simulated fleet running, to try the collection by hand."""

from __future__ import annotations

import os
import signal
import sys

from scene import ROOT, Scene


def main() -> None:
    with Scene() as scene:
        inventory = os.path.relpath(scene.inventory, ROOT)
        path = os.path.relpath(os.environ["PATH"].split(os.pathsep)[0], ROOT)
        print(f"""{len(scene.simulator.endpoints())} simulated Windows endpoints are up until you press Ctrl-C.
Try, in another terminal, in {ROOT}:

  export PATH="$PWD/{path}:$PATH" ANSIBLE_COLLECTIONS_PATH="$PWD/.build/collections"
  ansible -i {inventory} PC-1101 -m configmgr.client.provisioning_mode_info
  ansible -i {inventory} PC-1101 -m configmgr.client.provisioning_mode -a enabled=false --check --diff
  ansible -i {inventory} 'PC-11*' -m configmgr.client.provisioning_timeout -a max_minutes=720

What the simulator itself knows of an endpoint: {scene.simulator.ready["control"]}/endpoints/PC-1101
""")
        signal.pause()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nthe simulated fleet is stopped")
