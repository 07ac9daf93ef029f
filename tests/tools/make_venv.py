# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a virtual environment afresh: make_venv.py DIRECTORY REQUIREMENTS [MINIMUM, such as 3.11].

What NAME-optional.txt lists beside NAME.txt has to be compiled: it goes in where that is possible. The tests that need
it say so where it is missing. Of the package in NAME-collections.txt the collection that tests need goes in.
"""

import os
import shutil
import subprocess
import sys


def main():  # Old interpreters must get as far as the message below: no annotations, no new syntax.
    directory, requirements = sys.argv[1:3]
    minimum = tuple(int(part) for part in (sys.argv[3] if len(sys.argv) > 3 else "3.11").split("."))
    if sys.version_info[:2] < minimum:
        sys.exit(
            "%s is Python %d.%d; this needs %d.%d or later. Name another one: make PYTHON=/path/to/python3 ..."
            % ((sys.executable,) + tuple(sys.version_info[:2]) + minimum)
        )
    try:
        import ensurepip  # noqa: F401  Debian ships it apart from Python
        import venv
    except ImportError:
        sys.exit("%s cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" % sys.executable)
    sys.stdout.write("Making %s from %s (once; a minute or so)\n" % (directory, requirements))
    sys.stdout.flush()
    venv.create(directory, clear=True, with_pip=True, symlinks=os.name != "nt")
    pip = [os.path.join(directory, "bin", "python"), "-m", "pip", "--disable-pip-version-check", "-qq"]
    code = subprocess.call(pip + ["install", "--requirement", requirements])
    if code:
        sys.exit("pip could not install %s into %s: see its message above." % (requirements, directory))
    optional = requirements.replace(".txt", "-optional.txt")
    if os.path.exists(optional):
        if not shutil.which("krb5-config"):
            sys.stdout.write("Going on without Kerberos, and its tests: no krb5-config (libkrb5-dev) here\n")
        else:
            sys.stdout.write("Building what its tests of Kerberos need (once; some minutes)\n")
            sys.stdout.flush()
            if subprocess.call(pip + ["install", "--requirement", optional]):
                sys.stdout.write("Going on without Kerberos, and its tests: it could not be built, see above\n")
    collections = requirements.replace(".txt", "-collections.txt")
    if os.path.exists(collections):
        adder = os.path.join(os.path.dirname(__file__), "add_collections.py")
        if subprocess.call([os.path.join(directory, "bin", "python"), adder, collections, "awx.awx"]):
            sys.exit("%s could not be had: see its message above." % collections)
    with open(os.path.join(directory, ".ready"), "w") as stamp:  # what make compares with the requirements
        stamp.write(sys.version + "\n")


main()
