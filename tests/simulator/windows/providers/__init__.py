# SPDX-License-Identifier: GPL-3.0-or-later
"""WMI providers: each shows one part of the machine as the instances and methods of its classes."""
