# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options on how a site's administration service is reached."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  provider:
    description:
      - Full name of a server of the site with the role SMS Provider, which has the administration service.
      - For the cloud management gateway, its name; give O(path) and O(auth=token) with it.
      - Where it is not set, the variable E(CONFIGMGR_PROVIDER) of the controller's environment is taken.
    type: str
    required: true
  port:
    description: Port of the service.
    type: int
    default: 443
  path:
    description:
      - Path of the service. The default is V(AdminService), or V(AdminService_TokenAuth) with O(auth=token).
      - Through a cloud management gateway it is V(CCM_Proxy_MutualAuth/<id>/AdminService), with the gateway's own id.
    type: str
  auth:
    description:
      - How to log in. The service wants a login with each request.
      - V(kerberos) gets a ticket for O(username) with O(password). Without a password it takes one from the ticket
        cache of the controller.
      - V(ntlm) is for sites before version 2509, which refuses it.
      - V(token) sends O(token), which somebody else has got from Microsoft Entra ID.
      - Where it is not set, the variable E(CONFIGMGR_AUTH) is taken.
    type: str
    choices: [kerberos, ntlm, token]
    default: kerberos
  username:
    description:
      - Account to log in with. It needs a role on the site, and has then the rights of that role.
      - Write V(user@REALM) for O(auth=kerberos), V(DOMAIN\\user) for O(auth=ntlm).
      - Where it is not set, the variable E(CONFIGMGR_USERNAME) is taken.
    type: str
  password:
    description:
      - Password of the account.
      - Where it is not set, the variable E(CONFIGMGR_PASSWORD) is taken.
    type: str
  token:
    description:
      - Access token of a user for the service, with O(auth=token).
      - Where it is not set, the variable E(CONFIGMGR_TOKEN) is taken.
    type: str
  validate_certs:
    description: Whether the service's certificate is checked.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of the CAs to trust. The default is the trust store of C(requests).
      - A site without a certificate of a PKI makes one of its own for this service. Give that one here.
      - Where it is not set, the variable E(CONFIGMGR_CA_PATH) is taken.
    type: path
  connect_timeout:
    description: Seconds to wait for the service to accept a connection.
    type: int
    default: 5
  read_timeout:
    description: Seconds to wait for an answer. Where the service's process has ended, requests hang that long.
    type: int
    default: 60
  deadline:
    description: Seconds after which the task ends, whatever the site does or fails to do.
    type: int
    default: 600
seealso:
  - ref: ansible_collections.configmgr.client.docsite.guide_site
    description: What the site knows, what it can do for a client without WinRM, rights, and what is not certain.
requirements:
  - requests
  - requests-kerberos, and krb5 to get tickets with a password, for O(auth=kerberos)
  - requests_ntlm, for O(auth=ntlm)
notes:
  - Runs on the controller, whatever connection its host has. Nothing is asked of the host itself.
  - Nothing of this was tried on a real site. The guide says what each part rests on.
"""
