# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options on how an endpoint is reached."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  connect_timeout:
    description:
      - Seconds to wait for the endpoint to accept a connection.
      - A host that is switched off costs this long.
      - For a host with C(ansible_connection=psrp), C(ansible_psrp_connection_timeout) takes its place where that is set
        to another value than its default of 30.
    type: int
    default: 5
  deadline:
    description:
      - Seconds after which the task ends, whatever the endpoint does or fails to do.
    type: int
    default: 300
  endpoint:
    description:
      - The Windows endpoint, for a task that runs on a Linux host which reaches it (C(delegate_to) a bastion,
        or C(connection=local)). That host needs Python with pywinrm and defusedxml.
      - Leave it out to use the settings of the host's own C(winrm) or C(psrp) connection. That is the usual and the
        faster way.
      - While such a task runs, the password stands in a file on that host, with the module and its other options.
        That is how Ansible brings any module there. Only the account that runs the task can read the file, and it is
        removed afterwards. With C(pipelining) there is no file.
      - The login counts on the controller with those of all other tasks. Until one of its account was accepted in the
        run, at most three such tasks are under way at a time; others wait, at most for O(deadline), which then begins
        anew for the module.
    type: dict
    suboptions:
      host:
        description: Name or address of the endpoint.
        type: str
        required: true
      port:
        description: Port of the WinRM listener. The default is 5985 for V(http) and 5986 for V(https).
        type: int
      scheme:
        description: Protocol of the WinRM listener.
        type: str
        choices: [http, https]
        default: https
      path:
        description: Path of the WinRM listener.
        type: str
        default: wsman
      transport:
        description:
          - Login method. V(basic) and V(certificate) need O(endpoint.scheme=https).
          - V(kerberos) gets a ticket for O(endpoint.username) with O(endpoint.password). Without a password it takes
            one from the ticket cache of the host where the task runs.
        type: str
        choices: [ntlm, kerberos, basic, certificate, credssp]
        default: ntlm
      username:
        description: Account to log in with.
        type: str
      password:
        description: Password of the account.
        type: str
      server_cert_validation:
        description: Whether the endpoint's certificate is checked.
        type: str
        choices: [validate, ignore]
        default: validate
      ca_trust_path:
        description: File with the certificates of the CAs to trust. The default is the trust store of C(requests).
        type: path
      cert_pem:
        description: File of the client certificate, for V(certificate).
        type: path
      cert_key_pem:
        description: File of the client certificate's key, for V(certificate).
        type: path
      message_encryption:
        description: Encryption of the messages themselves. V(auto) encrypts over http.
        type: str
        choices: [auto, always, never]
        default: auto
      service:
        description: First part of the endpoint's service principal name, for V(kerberos). V(WSMAN) is the usual other.
        type: str
        default: HTTP
      kerberos_delegation:
        description: Whether the endpoint may go on to other machines as this account, for V(kerberos).
        type: bool
        default: false
      kerberos_hostname_override:
        description:
          - The name under which the endpoint joined the domain, where O(endpoint.host) is another, for V(kerberos).
        type: str
seealso:
  - ref: ansible_collections.configmgr.client.docsite.guide_connections
    description: Logins, Kerberos, psrp, bastions, and why a wrong password locks no account.
requirements:
  - pywinrm >= 0.5.0 (where the task runs; not for hosts with C(ansible_connection=psrp))
  - pypsrp >= 0.8.1 (on the controller, for hosts with C(ansible_connection=psrp))
  - defusedxml (where the task runs)
  - pywinrm[kerberos], and krb5 to get tickets with a password (where the task runs), for Kerberos logins
notes:
  - Runs over the settings of the host's C(winrm) or C(psrp) connection, whatever their source. No shell is opened on
    the endpoint unless a command has to run there, and no runspace ever.
  - Where C(ansible_winrm_transport) lists several login methods, the first is used. Ansible's plugin tries one after
    the other, so that a wrong password counts several times.
  - Of the other variables of a C(winrm) host, those count that count for Ansible's plugin, with these differences.
    Words such as V(no) are truth values. C(ansible_winrm_server_cert_validation) that is null still validates.
    C(ansible_winrm_ca_trust_path) that is null counts as not set. Of several slashes before the path one is kept.
    An operation time-out of 30 seconds or more brings a read time-out with it that is 10 seconds longer. An empty
    password is refused, but for V(kerberos), which then takes a ticket from the cache. C(basic) over http is refused.
  - No more than three logins of an account are rejected in a run, so that a wrong password does not lock it. A name
    without a domain counts as one account for all hosts, since Windows may take it for its domain's. Write C(.\NAME)
    where each host has an account of its own.
"""
