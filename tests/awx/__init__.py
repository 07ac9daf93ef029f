# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWX that keeps definitions and refuses what AWX refuses, by the rules in the source of AWX (October 2024).

It runs no job. `ansible-runner` does that in the tests, as AWX has it do.
"""
