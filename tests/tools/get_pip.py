# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the get-pip.py that ansible-test downloads: Python has a pip of its own to begin with."""

import subprocess
import sys

# get-pip.py's own options (--no-setuptools, --no-wheel) say what is not to be added: nothing is, here.
arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--no-")]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *arguments]))
