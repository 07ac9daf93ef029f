# SPDX-License-Identifier: GPL-3.0-or-later
"""The few programs that somebody would run on a ConfigMgr client, with their real output and exit codes."""
