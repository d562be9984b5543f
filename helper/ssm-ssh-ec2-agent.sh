# shellcheck shell=sh disable=SC2034 # What the parts of ssm-ssh read.
# Makes sure that the agent for pushed keys runs, and prints the folder that it is in. Run by ssm-ssh-ec2.sh, before there is
# a Node, and by the proxy (helper/proxy/key-agent.ts), as `sh ssm-ssh-ec2-agent.sh [FOLDER]`.
set +aefC
set -u

here=${0%/*}
# To Node, which makes it visible, or to nobody.
tell() { printf '%s\n' "$@" >&2; }
# shellcheck source=helper/ssm-ssh-host.sh
. "$here/ssm-ssh-host.sh"
# shellcheck source=helper/ssm-ssh-fetch.sh
. "$here/ssm-ssh-fetch.sh"

if [ $# -gt 0 ]; then
  state=$1
else
  find_state
  state=$state/ec2
fi
socket=$state/agent timeout=${SSM_SSH_TIMEOUT:-30s} deadline=''
umask 077
mkdir -p "$state/keys" || fail STATE_UNSAFE "$state/keys cannot be made" "see who owns $state"
ensure_agent >/dev/null
printf '%s\n' "$state"
