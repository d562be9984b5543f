# shellcheck shell=sh disable=SC2154,SC2034 # What ssm-ssh and ssm-ssh-host.sh set, and read.
# The part of ssm-ssh that Node and AWS are behind: what the configuration says, and the keys that the agent does not have
# yet.

# lock FD FILE: waits for it; whoever dies lets go.
lock() {
  if command -v flock >/dev/null; then
    read_left
    # Two seconds more than whoever has it: it is for the one that asked AWS to say why that failed. Not every flock knows
    # -E.
    eval "exec $1>\"\$2\"" && flock -E 75 -w $((_ssm_left + 2)) "$1" 2>/dev/null
    case $? in 0) return ;; 75) give_up_waiting "$2" ;; esac
    until flock -n "$1" 2>/dev/null; do wait_for "$2"; done
  else
    take "$2.held"
  fi
}

wait_for() {
  sleep 1
  read_left
  [ "$_ssm_left" -gt -2 ] || give_up_waiting "$1"
}

give_up_waiting() {
  fail TIMEOUT "another ssm-ssh has kept this one waiting for $_ssm_limit seconds: it has $1" \
    'look for one that hangs, and end it; or raise ssm.timeout (SSM_SSH_TIMEOUT)'
}

# Where there is no flock(1), a link says who has it: one step makes it, name and all. Of those who see that its holder is
# dead, one takes its place, in one step too: the one that has a lock of their own, named after the dead.
take() {
  until ln -s $$ "$1" 2>/dev/null; do
    _ssm_holder=$(readlink "$1")
    if [ -z "$_ssm_holder" ] || kill -0 "$_ssm_holder" 2>/dev/null; then
      wait_for "$1"
      continue
    fi
    set -- "$1" "$_ssm_holder"
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

# --- asking Node ---------------------------------------------------------------------------------------------------------

# Sets what the configuration says, which one of all that ask for the same repository has Node find out. Where nothing of it may be written down, each one asks for itself.
ask_for_text() {
  _ssm_place=$(printf %s "$_ssm_text $_ssm_host:$_ssm_port/$_ssm_repository" | { cksum || (cd / && exec git hash-object --stdin); } 2>/dev/null)
  _ssm_place=$_ssm_state/asked/${_ssm_place%% *}
  ask "$_ssm_place" ''
  [ -n "$_ssm_set_found" ] || find_compiled || run_node "$_ssm_place" '' || exit 255
}

# ask PLACE KEY: for the key whose folder this is, or, if empty, for what the configuration says. One of all that ask at
# once starts Node, and the others wait for it. If it fails they fail with it; if it dies the next one takes its turn.
ask() {
  _ssm_mask=$(umask)
  umask 077
  ask_privately "$1" "$2"
  umask "$_ssm_mask"
}

ask_privately() {
  mkdir -p "$1" || fail STATE_UNSAFE "$1 cannot be made" "see who owns $_ssm_state"
  _ssm_before='' _ssm_after=''
  { read -r _ssm_before; } 2>/dev/null <"$1/outcome"
  lock 9 "$1/lock"
  { read -r _ssm_after; } 2>/dev/null <"$1/outcome"
  if [ "$_ssm_before" != "$_ssm_after" ]; then
    unlock 9 "$1/lock"
    case $_ssm_after in ok*) return ;; esac
    sed 1d "$1/outcome" >&2
    exit 255
  fi
  if [ -n "$2" ]; then is_live "$2" && holds "$2"; else find_compiled; fi
  _ssm_status=$?
  if [ "$_ssm_status" -ne 0 ]; then
    # A mark that is wrong would keep Node from loading the key.
    [ -z "$2" ] || rm -f "$2/live"
    run_node "$1" "$2"
  fi
  unlock 9 "$1/lock"
  [ "$_ssm_status" -eq 0 ] || exit 255
}

# run_node PLACE KEY. A Node that is killed is started again. What people wrote goes by the environment: every user of the
# machine can read arguments.
run_node() {
  choose_node
  _ssm_tries=0
  while :; do
    _ssm_answer=$(
      export "_SSM_ASKED_STATE=$_ssm_state" "_SSM_ASKED_PLACE=$1" "_SSM_ASKED_KEY=$2" "_SSM_ASKED_REGION=$_ssm_job_region" \
        "_SSM_ASKED_PORT=$_ssm_port" "_SSM_ASKED_REPOSITORY=$_ssm_repository" "_SSM_ASKED_DEFAULT=$_ssm_wants_default"
      if [ -n "$2" ] || ! is_ec2_host; then export "_SSM_ASKED_HOST=$_ssm_host"; fi
      exec "$_ssm_node" --no-warnings "$_ssm_here/../dist/programs/index.js" ssm-ssh choose </dev/null
    )
    _ssm_status=$?
    _ssm_tries=$((_ssm_tries + 1))
    # 255 is its own; 128 and more otherwise says that it was killed.
    if [ "$_ssm_status" -lt 128 ] || [ "$_ssm_status" -eq 255 ]; then break; fi
    if [ "$_ssm_tries" -eq 3 ]; then
      tell "ssm-ssh: INTERNAL: Node was ended by signal $((_ssm_status - 128)), three times" \
        'hint: see what ends it: the memory of this machine, or its limits (ulimit -n, ulimit -u)'
      break
    fi
  done
  # Something that was cut is no answer.
  case $_ssm_status$_ssm_answer in 0*_ssm_set_found=1) eval "$_ssm_answer" ;; 0*) _ssm_status=255 ;; esac
  return "$_ssm_status"
}

# Sets `_ssm_node`: the one that the job has, the one that was found the last time, or a new find.
choose_node() {
  # shellcheck source=helper/find-node.sh
  . "$_ssm_here/find-node.sh"
  can_open_files || fail STATE_UNSAFE "this process may open $_ssm_files files at once, and Node needs 64" 'raise ulimit -n'
  [ -z "${SSM_SSH_NODE-}" ] && [ -x "$_ssm_job_node" ] && _ssm_node=$_ssm_job_node && return
  { read -r _ssm_node; } 2>/dev/null <"$_ssm_state/node-path" && [ -z "${SSM_SSH_NODE-}" ] && [ -x "$_ssm_node" ] && return
  find_node || fail INTERNAL "no Node 20 or newer was found to fetch the key with${_ssm_unsafe:+, but for $_ssm_unsafe, which others may replace}" \
    'install it where root or you alone may write, or say where it is: git config --system ssm.node /path/to/node, or SSM_SSH_NODE'
  printf '%s\n' "$_ssm_node" >"$_ssm_state/node-path"
}

# After ssh failed: whether it is worth trying again, because the agent had lost the key, or the store has a newer one.
heal() {
  [ -z "$_ssm_set_fetched" ] || return 1
  _ssm_again=1 _ssm_deadline=''
  for _ssm_number in $_ssm_keys; do
    eval "_ssm_identity=\$_ssm_set_key_$_ssm_number"
    if ! holds "$_ssm_identity"; then
      rm -f "$_ssm_identity/live"
      ask "$_ssm_identity" "$_ssm_identity"
      _ssm_again=0
    elif renew "$_ssm_identity"; then
      _ssm_again=0
    fi
  done
  # ssh's again.
  _ssm_status=255
  return "$_ssm_again"
}

# Asks the store at most once a minute for a version that is newer than the agent's. A store that fails has none.
renew() {
  _ssm_mask=$(umask)
  umask 077
  _ssm_before='' _ssm_after=''
  { read -r _ssm_before; } 2>/dev/null <"$1/version"
  lock 9 "$1/lock"
  { read -r _ssm_after; } 2>/dev/null <"$1/version"
  _ssm_status=0
  if [ "$_ssm_before" = "$_ssm_after" ]; then
    _ssm_status=1
    if [ -z "$(find "$1/asked" -mmin -1 2>/dev/null)" ]; then
      : >"$1/asked"
      run_node "$1" "$1" 2>/dev/null
      { read -r _ssm_after; } 2>/dev/null <"$1/version"
      if [ "$_ssm_before" = "$_ssm_after" ]; then _ssm_status=1; else _ssm_status=0; fi
    fi
  fi
  unlock 9 "$1/lock"
  umask "$_ssm_mask"
  return "$_ssm_status"
}
