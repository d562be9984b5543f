# shellcheck shell=sh disable=SC2154,SC2034 # What ssm-ssh and ssm-ssh-host.sh set, and read.
# The part of ssm-ssh that Node and AWS are behind: the agent of this user, and the keys that it does not have yet.

# lock FD FILE: waits for it; whoever dies lets go.
lock() {
  if command -v flock >/dev/null; then
    read_left
    # Two seconds more than whoever has it: it is for the one that asked AWS to say why that failed. Not every flock knows -E.
    eval "exec $1>\"\$2\"" && flock -E 75 -w $((left + 2)) "$1" 2>/dev/null
    case $? in 0) return ;; 75) give_up_waiting "$2" ;; esac
    until flock -n "$1" 2>/dev/null; do wait_for "$2"; done
  else
    take "$2.held"
  fi
}

wait_for() {
  sleep 1
  read_left
  [ "$left" -gt -2 ] || give_up_waiting "$1"
}

give_up_waiting() {
  fail TIMEOUT "another ssm-ssh has kept this one waiting for $limit seconds: it has $1" \
    'look for one that hangs, and end it; or raise ssm.timeout (SSM_SSH_TIMEOUT)'
}

# Where there is no flock(1), a link says who has it: one step makes it, name and all. Of those who see that its holder is
# dead, one takes its place, in one step too: the one that has a lock of their own, named after the dead.
take() {
  until ln -s $$ "$1" 2>/dev/null; do
    holder=$(readlink "$1")
    if [ -z "$holder" ] || kill -0 "$holder" 2>/dev/null; then
      wait_for "$1"
      continue
    fi
    set -- "$1" "$holder"
    take "$1.$2"
    # Somebody may have taken its place before, and have it by now.
    if [ "$(readlink "$1")" = "$2" ]; then
      ln -s $$ "$1.next.$$" && mv -f "$1.next.$$" "$1"
      rm -f "$1.$2"
      return
    fi
    rm -f "$1.$2"
  done
}

unlock() {
  eval "exec $1>&-"
  if [ -L "$2.held" ] && [ "$(readlink "$2.held")" = $$ ]; then rm -f "$2.held"; fi
}

# Whether there is an agent: ssh-add says 1 of one without keys.
answers() {
  [ -S "$socket" ] || return 1
  ask_agent
  [ $? -le 1 ]
}

# Says `up` when there is the agent of this user: in a session of its own, without the environment of the job or login that
# happens to start it. Its keeper, which ends it, is its parent.
ensure_agent() {
  lock 8 "$state/lock"
  # What is about to be fetched has a minute to come: the keeper waits for it.
  : >"$state/reserved"
  if ! answers; then
    rm -f "$socket"
    find "$state/keys" -name live -exec rm -f {} + 2>/dev/null
    forget_old_names
    if [ -r /proc/sys/kernel/random/boot_id ]; then
      read -r boot </proc/sys/kernel/random/boot_id
      printf '%s\n' "$boot" >"$state/boot"
    fi
    if ! command -v ssh-agent >/dev/null; then
      unlock 8 "$state/lock"
      fail AGENT_NOT_FOUND 'ssh-agent is not on PATH' \
        'install it: apt-get install openssh-client, dnf install openssh-clients, or apk add openssh-client'
    fi
    session=''
    command -v setsid >/dev/null && session=setsid
    set -- ssh-agent -a "$socket" /bin/sh "$here/ssm-ssh-keeper.sh" "$state"
    # shellcheck disable=SC2086 # Empty: no word.
    started=$(
      exec 8>&- 9>&-
      env -i "PATH=$PATH" "HOME=${HOME-/}" $session "$@" </dev/null 2>"$state/agent.log" &
    )
    if [ "$started" != up ]; then
      reason=$(tr '\n' ' ' <"$state/agent.log")
      unlock 8 "$state/lock"
      fail AGENT_FAILED "ssh-agent did not start on $socket: $reason" 'run ssh-agent -a FILE to see why; OpenSSH 8.4 or newer is needed'
    fi
  fi
  unlock 8 "$state/lock"
  # Nobody listens where the key could not be read meanwhile.
  echo up 2>/dev/null
}

# Takes away what nobody has asked for in a day. Credentials that change by the hour make a new name each time.
forget_old_names() {
  find "$state/keys" -name lock -mtime +0 2>/dev/null | while read -r old; do rm -rf "${old%/lock}"; done
}

# --- fetching ------------------------------------------------------------------------------------------------------------

# One of all that ask at once fetches, and the others wait for it, without a Node each. If it fails they fail with it; if
# it dies the next one takes its turn.
fetch() {
  identity=$1 mask=$(umask)
  umask 077
  fetch_privately
  umask "$mask"
}

fetch_privately() {
  mkdir -p "$identity" || fail STATE_UNSAFE "$identity cannot be made" "see who owns $state"
  before='' after=''
  { read -r before; } 2>/dev/null <"$identity/outcome"
  lock 9 "$identity/lock"
  { read -r after; } 2>/dev/null <"$identity/outcome"
  if [ "$before" != "$after" ]; then
    unlock 9 "$identity/lock"
    case $after in ok*) return ;; esac
    sed 1d "$identity/outcome" >&2
    exit 255
  fi
  if is_live "$identity" && holds "$identity"; then
    unlock 9 "$identity/lock"
    return
  fi
  choose_node
  run_node "$identity"
  unlock 9 "$identity/lock"
  [ "$status" -eq 0 ] || exit 255
  note_name
  fetched=yes
}

# Adds the hash of what `run_node` has fetched to those that are known, of which the last ones stay: by now it is known that
# these are names, and no secrets. A text with a line end is hashed each time.
note_name() {
  name_key
  case $text in *"$newline"*) return ;; esac
  quote "$text"
  {
    tail -n 63 "$state/names" 2>/dev/null
    # shellcheck disable=SC2016 # `encode` expands it.
    printf 'case $rest in %s) encoded=%s ;; esac\n' "$quoted" "${identity##*/}"
  } >"$state/names.$$" && mv -f "$state/names.$$" "$state/names"
}

# Sets `status`. The agent starts while Node asks AWS, which hears by its standard input that it is there. A Node that is
# killed is started again. What people wrote goes by the environment: every user of the machine can read arguments.
run_node() {
  settings_of "$1"
  set -- --into "$1" --socket "$socket"
  tries=0
  while :; do
    ensure_agent | SSM_SSH_FETCH_REFERENCE=$reference SSM_SSH_FETCH_PASSPHRASE=$passphrase \
      SSM_SSH_FETCH_CERTIFICATE=$certificate SSM_SSH_FETCH_REGION=$region SSM_SSH_FETCH_ROLES=$roles \
      SSM_SSH_FETCH_LIFETIME=$lifetime SSM_SSH_FETCH_TIMEOUT=$timeout "$node" --no-warnings "$here/../dist/programs/index.js" ssm-ssh "$@"
    status=$?
    tries=$((tries + 1))
    # 255 is its own; 128 and more otherwise says that it was killed.
    if [ "$status" -lt 128 ] || [ "$status" -eq 255 ]; then return; fi
    [ "$tries" -lt 3 ] || break
  done
  tell "ssm-ssh: INTERNAL: Node was ended by signal $((status - 128)), three times" \
    'hint: see what ends it: the memory of this machine, or its limits (ulimit -n, ulimit -u)'
}

# Sets `node`: the one that the job has, the one that was found the last time, or a new find.
choose_node() {
  # shellcheck source=helper/find-node.sh
  . "$here/find-node.sh"
  can_open_files || fail STATE_UNSAFE "this process may open $_ssm_files files at once, and Node needs 64" 'raise ulimit -n'
  [ -z "${SSM_SSH_NODE-}" ] && [ -x "$job_node" ] && node=$job_node && return
  { read -r node; } 2>/dev/null <"$state/node-path" && [ -z "${SSM_SSH_NODE-}" ] && [ -x "$node" ] && return
  unset IFS
  set +f
  find_node || fail INTERNAL "no Node 20 or newer was found to fetch the key with${unsafe:+, but for $unsafe, which others may replace}" \
    'install it where root or you alone may write, or say where it is: git config --system ssm.node /path/to/node, or SSM_SSH_NODE'
  printf '%s\n' "$node" >"$state/node-path"
  set -f
  IFS=$newline
}

# Sets the settings of the key whose folder this is.
settings_of() {
  for section in $wanted; do
    read_settings "$section"
    name_key
    encode "$text"
    [ "$state/keys/$encoded" != "$1" ] || return 0
  done
}

# After ssh failed: whether it is worth trying again, because the agent had lost the key, or the store has a newer one.
heal() {
  [ -z "$fetched" ] || return 1
  again=1 deadline=''
  IFS=$newline
  set -f
  for identity in $identities; do
    if ! holds "$identity"; then
      rm -f "$identity/live"
      fetch "$identity"
      again=0
    elif renew "$identity"; then
      again=0
    fi
  done
  unset IFS
  set +f
  # ssh's again.
  status=255
  return "$again"
}

# Asks the store at most once a minute for a version that is newer than the agent's. A store that fails has none.
renew() {
  mask=$(umask)
  umask 077
  before='' after=''
  { read -r before; } 2>/dev/null <"$1/version"
  lock 9 "$1/lock"
  { read -r after; } 2>/dev/null <"$1/version"
  status=0
  if [ "$before" = "$after" ]; then
    status=1
    if [ -z "$(find "$1/asked" -mmin -1 2>/dev/null)" ]; then
      : >"$1/asked"
      choose_node
      run_node "$1" 2>/dev/null
      { read -r after; } 2>/dev/null <"$1/version"
      if [ "$before" = "$after" ]; then status=1; else status=0; fi
    fi
  fi
  unlock 9 "$1/lock"
  umask "$mask"
  return "$status"
}
