# configmgr.client read_mode 1
# Tells the state of provisioning mode on this client, and what runs here. It changes nothing.
# Output: one line of JSON. A signal that could not be read is null, and its reason stands in errors.
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

$ErrorActionPreference = 'Stop'
$answer = @{ version = 1; script = 'read_mode' }
$errors = @{}

function Read-Signal([string] $Name, [scriptblock] $Reader) {
    try {
        $answer[$Name] = & $Reader
    } catch {
        $answer[$Name] = $null
        $errors[$Name] = $_.Exception.Message -replace '(?s)^(.{120}).*', '$1'
    }
}

function Get-Value([string] $Key, [string] $Name) {
    if (-not (Test-Path -LiteralPath $Key)) { return $null }
    (Get-ItemProperty -LiteralPath $Key).$Name
}

function Get-Typed([string] $Name) {
    $value = Get-Value 'HKLM:\SOFTWARE\Microsoft\CCM\CcmExec' $Name
    if ($null -eq $value) { return $null }
    $kind = if ($value -is [long]) { 'qword' } elseif ($value -is [int]) { 'dword' } elseif ($value -is [string]) { 'string' } else { 'other' }
    @{ type = $kind; data = '' + $value -replace '(?s)^(.{40}).*', '$1' }
}

if ($env:PROCESSOR_ARCHITEW6432) {
    $errors['registry'] = 'this is a 32-bit PowerShell, which is shown another registry'
}

Read-Signal 'mode' { Get-Value 'HKLM:\SOFTWARE\Microsoft\CCM\CcmExec' 'ProvisioningMode' }
Read-Signal 'excludes' { Get-Value 'HKLM:\SOFTWARE\Microsoft\CCM\CcmExec' 'SystemTaskExcludes' }
Read-Signal 'entered_at' { Get-Typed 'ProvisioningEnabledTime' }
Read-Signal 'max_minutes' { Get-Typed 'ProvisioningMaxMinutes' }
Read-Signal 'hold' {
    if (Get-Value 'HKLM:\SOFTWARE\configmgr.client\Hold' 'Expires') { throw 'the hold is of an earlier form' }
    Get-Value 'HKLM:\SOFTWARE\configmgr.client\Hold' 'Hold'
}
Read-Signal 'client_version' { (Get-CimInstance -Namespace 'root\ccm' -ClassName SMS_Client).ClientVersion }
Read-Signal 'clock' {
    $os = Get-CimInstance -ClassName Win32_OperatingSystem
    @{
        name = $os.CSName
        now = $os.LocalDateTime.ToUniversalTime().ToString('s') + 'Z'
        booted = $os.LastBootUpTime.ToUniversalTime().ToString('s') + 'Z'
        offset = $os.CurrentTimeZone
        os = $os.Version
    }
}
Read-Signal 'setup' {
    $found = @{}
    $setup = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\Setup'
    foreach ($name in 'SetupType', 'SystemSetupInProgress', 'OOBEInProgress', 'Upgrade', 'RollbackActive', 'FactoryPreInstallInProgress', 'SetupPhase') {
        if ($null -ne $setup.$name) { $found[$name] = $setup.$name }
    }
    $found
}
Read-Signal 'winpe' { Test-Path -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\MiniNT' }
Read-Signal 'audit' { [bool] (Get-Value 'HKLM:\SYSTEM\Setup\Status' 'AuditBoot') }
Read-Signal 'autopilot' { 0 -eq (Get-Value 'HKLM:\SOFTWARE\Microsoft\Windows\Autopilot\EnrollmentStatusTracking\Device\Setup' 'HasProvisioningCompleted') }
Read-Signal 'requests' {
    $rows = Get-CimInstance -Namespace 'root\ccm\SoftMgmtAgent' -ClassName CCM_TSExecutionRequest | Select-Object -First 10
    , @($rows | Where-Object { $_ } | ForEach-Object { '' + $_.State + '/' + $_.RunningState + '/' + $_.CompletionState })
}
Read-Signal 'services' {
    $found = @{}
    foreach ($service in Get-CimInstance -ClassName Win32_Service -Filter "Name='CcmExec' OR Name='smstsmgr' OR Name='Winmgmt'") {
        $found[$service.Name] = @{ state = $service.State; start_mode = $service.StartMode }
    }
    $found
}
# Of a command line, which may hold secrets, only the switch is told that makes a difference.
$telling = 'smstspostupgrade|provisionts|/auto[: ]+"?(upgrade|clean|dataonly)|/(imageindex|installfrom|postoobe|postrollback|postrollbackcontext|migratedrivers|migneo|showoobe|dynamicupdate|installdrivers|reflectdrivers|compat|pkey)\b|/eula +accept|/product +server|/unattend:'
Read-Signal 'processes' {
    $found = Get-CimInstance -ClassName Win32_Process -Filter @'
Name='lsass.exe' OR ((Name LIKE 'TS%' OR Name LIKE 'OSD%' OR Name LIKE 'SMS[^S]%' OR Name LIKE 'smsswd%' OR Name LIKE '%setup%' OR Name LIKE '%oobe%' OR Name LIKE 'Windows[1U]%' OR Name LIKE 'audit%' OR Name LIKE '%reset%' OR Name LIKE 'rollback%' OR Name LIKE 'mighost%' OR Name LIKE 'McsClient%' OR Name LIKE 'windeploy%' OR Name LIKE 'sysprep%' OR CommandLine LIKE '%SMSTSPost[U]pgrade%' OR ExecutablePath LIKE '%$WINDOWS.~BT%' OR ExecutablePath LIKE '%SMSTaskSequence%'))
'@
    , @($found | Select-Object -First 20 | ForEach-Object {
        $switch = if ($_.CommandLine -match $telling) { $Matches[0] } else { '' }
        @{ name = $_.Name; id = $_.ProcessId; path = '' + $_.ExecutablePath; switch = $switch }
    })
}
$answer['errors'] = $errors
$answer | ConvertTo-Json -Compress -Depth 4
