# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows machine behind the simulated WinRM server: registry, services, WMI, programs, ConfigMgr client."""
