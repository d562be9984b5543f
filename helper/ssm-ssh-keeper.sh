# shellcheck shell=sh
# The keeper of a user's agent: ssh-agent starts it, and ends with it. It ends the agent when the agent has no key left and
# no key is announced. Run as `sh ssm-ssh-keeper.sh STATE`.
set +aefC
set -u
umask 077

# Whether the folder still belongs to this agent: somebody may have flushed it, also while the agent was starting.
is_ours() { { read -r noted; } 2>/dev/null <"$1/keeper" && [ "$noted" = $$ ] && [ -S "$1/agent" ]; }

# Whether the agent has a key, or one was announced less than a minute ago. 2: it is gone. If it is locked, only -D tells.
is_needed() {
  await ssh-add -l
  case $? in 1) [ -n "$(find "$1/reserved" -mmin -1)" ] || ! await ssh-add -D ;; 2) exit ;; esac
}

# The trap can end it: a shell handles no signal while it runs a program, which may hang.
await() { "$@" & child=$! && wait "$child"; }

trap 'kill "$child"; exit' TERM
# Whoever started the agent reads this, unless it was killed. Nobody reads later output.
trap '' HUP INT PIPE QUIT
child=''
# Where it cannot be noted, because the disk is full, the agent ends at once.
echo $$ >"$1/keeper" || exit
echo up 2>/dev/null
exec >/dev/null 2>&1
while is_ours "$1" && is_needed "$1"; do await sleep 5; done
if is_ours "$1"; then rm -f "$1"/keys/*/live; fi
kill "$SSH_AGENT_PID"
