# SPDX-License-Identifier: GPL-3.0-or-later
"""What is below SOAP: sockets, HTTP, TLS, login, message encryption."""
