# shellcheck shell=sh disable=SC2034,SC2031 # What the parts of ssm-ssh read, and change in subshells.
# Makes sure that an agent of this user runs, and prints the folder that it is in: without FOLDER that of the agent for
# pushed keys. Run by helper/command-line/user-agent.ts, and by ssm-ssh-ec2.sh before there is a Node, as `sh
# ssm-ssh-user-agent.sh [FOLDER]`.
set +aefC
set -u

_ssm_here=${0%/*}
# To Node, which makes it visible, or to nobody.
tell() { printf '%s\n' "$@" >&2; }
# shellcheck source=helper/ssm-ssh-host.sh
. "$_ssm_here/ssm-ssh-host.sh"
# shellcheck source=helper/ssm-ssh-fetch.sh
. "$_ssm_here/ssm-ssh-fetch.sh"

# Whether there is an agent: ssh-add says 1 of one without keys.
answers() {
  [ -S "$_ssm_socket" ] || return 1
  ask_agent
  [ $? -le 1 ]
}

# In a session of its own, without the environment of the job or login that happens to start it. Its keeper, which ends it,
# is its parent.
ensure_agent() {
  lock 8 "$_ssm_state/lock"
  # What is about to be fetched has a minute to come: the keeper waits for it.
  : >"$_ssm_state/reserved"
  if ! answers; then
    rm -f "$_ssm_socket"
    find "$_ssm_state/keys" -name live -exec rm -f {} + 2>/dev/null
    forget_old_names
    if [ -r /proc/sys/kernel/random/boot_id ]; then
      read -r _ssm_boot </proc/sys/kernel/random/boot_id
      printf '%s\n' "$_ssm_boot" >"$_ssm_state/boot"
    fi
    if ! command -v ssh-agent >/dev/null; then
      unlock 8 "$_ssm_state/lock"
      fail AGENT_NOT_FOUND 'ssh-agent is not on PATH' \
        'install it: apt-get install openssh-client, dnf install openssh-clients, or apk add openssh-client'
    fi
    _ssm_session=''
    command -v setsid >/dev/null && _ssm_session=setsid
    set -- ssh-agent -a "$_ssm_socket" /bin/sh "$_ssm_here/ssm-ssh-keeper.sh" "$_ssm_state"
    # shellcheck disable=SC2086 # Empty: no word.
    _ssm_started=$(
      exec 8>&- 9>&-
      env -i "PATH=$PATH" "HOME=${HOME-/}" $_ssm_session "$@" </dev/null 2>"$_ssm_state/agent.log" &
    )
    if [ "$_ssm_started" != up ]; then
      _ssm_reason=$(tr '\n' ' ' <"$_ssm_state/agent.log")
      unlock 8 "$_ssm_state/lock"
      fail AGENT_FAILED "ssh-agent did not start on $_ssm_socket: $_ssm_reason" 'run ssh-agent -a FILE to see why; OpenSSH 8.4 or newer is needed'
    fi
  fi
  unlock 8 "$_ssm_state/lock"
}

# Takes away what nobody has read in a day. Credentials that change by the hour make a new name each time.
forget_old_names() {
  find "$_ssm_state/keys" "$_ssm_state/asked" \( -name fingerprint -o -name outcome \) -mtime +0 2>/dev/null |
    while read -r _ssm_old; do rm -rf "${_ssm_old%/*}"; done
}

if [ $# -gt 0 ]; then
  _ssm_state=$1
else
  find_state
  _ssm_state=$_ssm_state/ec2
fi
_ssm_socket=$_ssm_state/agent _ssm_timeout=${SSM_SSH_TIMEOUT:-30s} _ssm_deadline=''
umask 077
mkdir -p "$_ssm_state/keys" || fail STATE_UNSAFE "$_ssm_state/keys cannot be made" "see who owns $_ssm_state"
ensure_agent
printf '%s\n' "$_ssm_state"
