# shellcheck shell=sh
# The keeper of a user's agent: ssh-agent starts it, and ends with it. It ends the agent when that has no key left, and none is
# on its way. Run as `sh ssm-ssh-keeper.sh STATE`.
set +aefC
set -u
umask 077

# Whether the folder is still this agent's: somebody may have flushed it, even while this was starting.
is_ours() { { read -r noted; } 2>/dev/null <"$1/keeper" && [ "$noted" = $$ ] && [ -S "$1/agent" ]; }

# Whether the agent has a key, or a minute has not passed since one was announced. 2: it is no more.
is_needed() {
  ssh-add -l
  case $? in 1) [ -n "$(find "$1/reserved" -mmin -1)" ] ;; 2) exit ;; esac
}

trap 'kill "$sleeper"; exit' TERM
# To whoever started the agent, unless that was killed meanwhile. From here on nobody listens.
trap '' HUP INT PIPE QUIT
echo $$ >"$1/keeper"
sleeper=''
echo up 2>/dev/null
exec >/dev/null 2>&1
while is_ours "$1" && is_needed "$1"; do
  sleep 5 &
  sleeper=$!
  wait "$sleeper"
done
if is_ours "$1"; then rm -f "$1"/keys/*/live; fi
kill "$SSH_AGENT_PID"
