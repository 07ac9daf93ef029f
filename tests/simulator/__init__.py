# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated fleet of Windows endpoints behind WinRM: test equipment, never installed with the collection."""
