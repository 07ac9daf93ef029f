# configmgr.client leave_mode 1
# Has this client leave provisioning mode with its own method, unless anything speaks against it.
# The call restarts the client. So it is made by a process of its own, half a minute after this script has answered,
# which asks once more right before it. The registry is only read.
# Output: one line of JSON, with a result of nothing_to_do, refused or started, and the reason.
# Copyright (c) 2026, configmgr.client contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

# Says why the client is not to leave the mode now; says nothing where nothing speaks against it.
# It is also part of a command line in double quotes, so it has none itself.
$guard = {
    $ErrorActionPreference = 'Stop'
    try {
        if ($env:PROCESSOR_ARCHITEW6432) { return 'this is a 32-bit PowerShell, which is shown another registry' }
        if (Test-Path -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\MiniNT') { return 'this is Windows PE' }
        $os = Get-CimInstance -ClassName Win32_OperatingSystem
        if (($os.LocalDateTime - $os.LastBootUpTime).TotalMinutes -lt 15) { return 'it started less than 15 minutes ago' }
        $client = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\CCM\CcmExec'
        if ('true' -ne $client.ProvisioningMode -and -not $client.SystemTaskExcludes) { return 'it is not in provisioning mode' }
        $epoch = New-Object -TypeName DateTime -ArgumentList 1970, 1, 1
        $now = ($os.LocalDateTime.ToUniversalTime() - $epoch).TotalSeconds
        if ($client.ProvisioningEnabledTime -and ($now - $client.ProvisioningEnabledTime) -lt 900) { return 'it entered the mode less than 15 minutes ago' }
        $key = 'HKLM:\SOFTWARE\configmgr.client\Hold'
        if (Test-Path -LiteralPath $key) {
            $held = Get-ItemProperty -LiteralPath $key
            if ($held.Expires) { return 'somebody holds it in the mode' }
            if ($held.Hold) {
                $hold = $held.Hold | ConvertFrom-Json
                $ofNow = $null -eq $hold.entered -or $hold.entered -eq $client.ProvisioningEnabledTime
                if ($ofNow -and (-not $hold.expires -or $hold.expires -gt $now)) { return 'somebody holds it in the mode' }
            }
        }
        $setup = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\Setup'
        foreach ($name in 'SetupType', 'SystemSetupInProgress', 'OOBEInProgress') {
            if ($null -eq $setup.$name) { return 'SYSTEM\Setup has no ' + $name }
        }
        foreach ($name in 'SetupType', 'SystemSetupInProgress', 'OOBEInProgress', 'Upgrade', 'RollbackActive', 'FactoryPreInstallInProgress', 'SetupPhase') {
            if ($setup.$name) { return 'SYSTEM\Setup has ' + $name + '=' + $setup.$name }
        }
        $key = 'HKLM:\SYSTEM\Setup\Status'
        if ((Test-Path -LiteralPath $key) -and (Get-ItemProperty -LiteralPath $key).AuditBoot) { return 'Windows is in audit mode' }
        $key = 'HKLM:\SOFTWARE\Microsoft\Windows\Autopilot\EnrollmentStatusTracking\Device\Setup'
        if ((Test-Path -LiteralPath $key) -and 0 -eq (Get-ItemProperty -LiteralPath $key).HasProvisioningCompleted) { return 'Windows Autopilot is setting it up' }
        $services = @(Get-CimInstance -ClassName Win32_Service -Filter 'Name=''smstsmgr'' OR Name=''Winmgmt''')
        if ('Winmgmt' -notin $services.Name) { return 'its services cannot be read' }
        foreach ($service in $services) {
            if ($service.Name -eq 'smstsmgr' -and $service.State -ne 'Stopped') { return 'the task sequence agent is ' + $service.State }
        }
        $processes = @(Get-CimInstance -ClassName Win32_Process -Filter 'Name=''lsass.exe'' OR ((Name LIKE ''TS%'' OR Name LIKE ''OSD%'' OR Name LIKE ''SMS[^S]%'' OR Name LIKE ''smsswd%'' OR Name LIKE ''%setup%'' OR Name LIKE ''%oobe%'' OR Name LIKE ''Windows[1U]%'' OR Name LIKE ''audit%'' OR Name LIKE ''%reset%'' OR Name LIKE ''rollback%'' OR Name LIKE ''mighost%'' OR Name LIKE ''McsClient%'' OR Name LIKE ''windeploy%'' OR Name LIKE ''sysprep%'' OR CommandLine LIKE ''%SMSTSPost[U]pgrade%'' OR ExecutablePath LIKE ''%$WINDOWS.~BT%'' OR ExecutablePath LIKE ''%SMSTaskSequence%''))')
        if ('lsass.exe' -notin $processes.Name) { return 'its processes cannot be read' }
        foreach ($process in $processes) {
            if ($process.Name -ne 'lsass.exe') { return $process.Name + ' runs' }
        }
    } catch {
        return 'could not read: ' + $_.Exception.Message
    }
}

$answer = @{ version = 1; script = 'leave_mode'; result = 'refused'; reason = '' + (& $guard) }
if ($answer['reason'] -eq 'it is not in provisioning mode') {
    $answer['result'] = 'nothing_to_do'
} elseif (-not $answer['reason']) {
    $act = 'Start-Sleep -Seconds 30; if (-not (& {{ {0} }})) {{ Invoke-CimMethod -Namespace root\ccm -ClassName SMS_Client -MethodName SetClientProvisioningMode -Arguments @{{ bEnable = $false }} }}' -f $guard
    $line = 'powershell.exe -NoProfile -NonInteractive -Command "' + $act + '"'
    $started = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = $line }
    if ($started.ReturnValue -eq 0) {
        $answer['result'] = 'started'
    } else {
        $answer['reason'] = 'the process that was to do it could not be started: code ' + $started.ReturnValue
    }
}
$answer['reason'] = $answer['reason'] -replace '(?s)^(.{200}).*', '$1'
$answer | ConvertTo-Json -Compress
