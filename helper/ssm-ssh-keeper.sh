# shellcheck shell=sh
# The keeper of a user's agent: ssh-agent starts it and ends with it. It takes the marks of keys away when their lifetime is
# over, and ends when the last one is. USR1 says that there is a new key. Run as `sh ssm-ssh-keeper.sh STATE`.
set +aefC
set -u

keep() {
  state=$1 sleeper=''
  # A path is a word.
  IFS='
'
  set -f
  echo $$ >"$state/keeper"
  trap 'wake' USR1
  trap 'wake; exit 0' TERM
  # To whoever started the agent, unless that was killed meanwhile. From here on nobody listens.
  trap '' PIPE
  echo up 2>/dev/null
  exec >/dev/null 2>&1
  while has_folder; do
    take_marks
    if [ -z "$next" ]; then end_unless_needed; fi
    # What cannot be said in a day is said again after a day.
    if [ "$next" -gt 86400 ]; then next=86400; fi
    sleep "$next" &
    sleeper=$!
    wait "$sleeper"
    wake
  done
}

# Whether the folder is still this agent's: somebody may have flushed it while this was starting.
has_folder() {
  { read -r noted; } 2>/dev/null <"$state/keeper" && [ "$noted" = $$ ] && return
  kill "$SSH_AGENT_PID"
  return 1
}

wake() {
  [ -z "$sleeper" ] || kill "$sleeper"
  sleeper=''
}

# Takes the marks that are over, and sets `next`: seconds to the next one; empty where no mark is left.
take_marks() {
  now=$(date +%s) next=''
  # shellcheck disable=SC2044 # No name of ours has a line end.
  for mark in $(find "$state/keys" -name live); do
    read -r until <"$mark" || continue
    if [ "$until" -eq 0 ]; then
      next=${next:-86400}
    elif [ "$until" -le "$now" ]; then
      rm -f "$mark"
    elif [ -z "$next" ] || [ $((until - now)) -lt "$next" ]; then
      next=$((until - now))
    fi
  done
}

# Nobody may begin to rely on the agent meanwhile: whoever starts it, or counts on it, has the lock.
end_unless_needed() {
  if command -v flock; then
    exec 8>"$state/lock"
    flock 8
  fi
  take_marks
  if [ -n "$(find "$state/reserved" -mmin -1)" ]; then next=${next:-5}; fi
  if [ -z "$next" ] && ! ssh-add -l && [ "$(cat "$state/keeper")" = "$$" ]; then
    kill "$SSH_AGENT_PID"
    while [ -S "$state/agent" ] && kill -0 "$SSH_AGENT_PID"; do sleep 1; done
    rm -f "$state/agent"
    exit 0
  fi
  next=${next:-5}
  exec 8>&-
}

keep "$@"
