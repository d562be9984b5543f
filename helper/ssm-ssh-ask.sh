# shellcheck shell=sh disable=SC2154,SC2034 # What ssm-ssh and ssm-ssh-host.sh set, and read.
# The part of ssm-ssh that starts Node, which reads the configuration and fetches keys that the agent does not have yet.

# --- one Node for all -----------------------------------------------------------------------------------------------------

# lock FILE: waits for the lock; it is free when its holder ends. It waits two seconds longer than the holder's time limit,
# so that the holder, which asked AWS, can say why that failed.
lock() {
  _ssm_left=$((_ssm_limit + 2))
  if command -v flock >/dev/null; then
    exec 9>>"$1"
    # With --foreground Ctrl+C ends the wait. Some versions of timeout do not have it, and some of flock no -E.
    limit_by "--foreground $((_ssm_left + 1))"
    $_ssm_limited flock -E 75 -w "$_ssm_left" 9 2>/dev/null
    case $? in 0) return ;; 75) _ssm_left=0 ;; 124) blame flock "$_ssm_left" ;; esac
    limit_by 5
    until $_ssm_limited flock -n 9 2>/dev/null; do [ $? -ne 124 ] || blame flock 5 && wait_for "$1"; done
  else
    take "$1.held"
  fi
}

wait_for() {
  [ "$_ssm_left" -gt 0 ] ||
    fail TIMEOUT "another ssm-ssh has kept this one waiting for $_ssm_limit seconds: it has $1" \
      'look for one that hangs, and end it; or raise ssm.timeout (SSM_SSH_TIMEOUT)'
  sleep 1
  _ssm_left=$((_ssm_left - 1))
}

# Without flock(1) the lock is a symlink to the holder's pid, which is made in one step. When the holder is dead, the symlink
# is replaced under a second lock, which is named after the dead pid.
take() {
  until ln -s $$ "$1" 2>/dev/null; do
    _ssm_holder=$(readlink "$1")
    { [ -z "$_ssm_holder" ] || kill -0 "$_ssm_holder" 2>/dev/null; } && wait_for "$1" && continue
    set -- "$1" "$_ssm_holder"
    take "$1.$2"
    # Another process may have replaced it before, and hold the lock now.
    if [ "$(readlink "$1")" = "$2" ]; then
      ln -s $$ "$1.next.$$" && mv -f "$1.next.$$" "$1"
      rm -f "$1.$2"
      return
    fi
    rm -f "$1.$2"
  done
}

unlock() {
  exec 9>&-
  if [ -L "$1.held" ] && [ "$(readlink "$1.held")" = $$ ]; then rm -f "$1.held"; fi
}

# ask PLACE KEY FAILED: Node loads the key of this folder into the agent; with FAILED, the version that ssh failed with, only
# a newer version. Without KEY Node reads the configuration. Of all processes that ask at once, one starts Node and the
# others wait for it. If it fails, they fail, too; if it is killed, the next one starts Node.
ask() {
  _ssm_mask=$(umask) _ssm_before='' _ssm_after='' _ssm_status=0
  umask 077
  if { { [ -d "$1" ] || mkdir -p "$1"; } && true >>"$1/lock"; } 2>/dev/null; then
    { read -r _ssm_before; } 2>/dev/null <"$1/outcome"
    lock "$1/lock"
    { read -r _ssm_after; } 2>/dev/null <"$1/outcome"
  fi
  case $_ssm_after in
  "$_ssm_before") run_node "$@" || _ssm_status=255 ;;
  ok*)
    case $_ssm_after in *\ fetched) _ssm_set_fetched=yes ;; esac
    [ -n "$2" ] || find_compiled || run_node "$@" || _ssm_status=255
    ;;
  *)
    sed 1d "$1/outcome" >&2
    _ssm_status=255
    ;;
  esac
  unlock "$1/lock"
  umask "$_ssm_mask"
  [ "$_ssm_status" -eq 0 ] || exit 255
}

# Before there is an agent, all wait in a folder that only this user can write to, until Node has chosen one.
ask_for_text() {
  [ -n "$_ssm_state" ] || find_waiting_place
  # ssm.timeout of git's configuration is not known yet. Node has a time limit of its own.
  read_limit 300
  if [ -z "$_ssm_state" ]; then
    run_node '' '' '' || exit 255
    return
  fi
  _ssm_part=$(printf %s "$_ssm_text $_ssm_host:$_ssm_port/$_ssm_repository" | { cksum || (cd / && exec git hash-object --stdin); } 2>/dev/null)
  ask "$_ssm_state/asked/${_ssm_part%% *}" '' ''
}

find_waiting_place() {
  # shellcheck source=helper/find-node.sh
  . "$_ssm_here/find-node.sh"
  _ssm_mask=$(umask) _ssm_value=$(id -u)
  umask 077
  case ${HOME-} in /*) [ ! -O "$HOME" ] || [ -d "$HOME/.cache" ] || mkdir "$HOME/.cache" 2>/dev/null ;; esac
  for _ssm_state in "/run/user/$_ssm_value" "${HOME-}/.cache" "$_ssm_temporary"; do
    _ssm_state=$_ssm_state/ssm-ssh-agent-$_ssm_value
    [ -d "$_ssm_state" ] || { [ -d "${_ssm_state%/*}" ] && is_protected "${_ssm_state%/*}/" "$_ssm_value" && mkdir "$_ssm_state" 2>/dev/null; }
    [ ! -O "$_ssm_state" ] || case $(ls -ld "$_ssm_state") in drwx------*) is_of_another_machine || break ;; esac
    _ssm_state=''
  done
  umask "$_ssm_mask"
}

# --- Node ----------------------------------------------------------------------------------------------------------------

# run_node PLACE KEY FAILED. A Node that is killed is started again. The question is in the environment, because every user
# of the machine can read arguments.
run_node() {
  choose_node
  _ssm_tries=0
  while :; do
    _ssm_answer=$(
      export "_SSM_ASKED_STATE=${_ssm_own_state:-${2:+$_ssm_state}}" "_SSM_ASKED_PLACE=$1" "_SSM_ASKED_KEY=$2" "_SSM_ASKED_FAILED=$3" \
        "_SSM_ASKED_REGION=$_ssm_job_region" \
        "_SSM_ASKED_PORT=$_ssm_port" "_SSM_ASKED_REPOSITORY=$_ssm_repository" "_SSM_ASKED_DEFAULT=$_ssm_wants_default"
      if [ -n "$2" ] || ! is_ec2_host; then export "_SSM_ASKED_HOST=$_ssm_host"; fi
      exec "$_ssm_node" --no-warnings "$_ssm_here/../dist/programs/index.js" ssm-ssh choose </dev/null
    )
    _ssm_status=$?
    _ssm_tries=$((_ssm_tries + 1))
    # 255 is an exit code of ours. Any other from 128 on says that Node was killed.
    if [ "$_ssm_status" -lt 128 ] || [ "$_ssm_status" -eq 255 ]; then break; fi
    [ "$_ssm_tries" -eq 3 ] || continue
    tell "ssm-ssh: INTERNAL: Node was ended by signal $((_ssm_status - 128)), three times" \
      'hint: see what ends it: the memory of this machine, or its limits (ulimit -n, ulimit -u)'
    break
  done
  # An answer without its last line is incomplete.
  case $_ssm_status$_ssm_answer in 0*_ssm_set_found=1) eval "$_ssm_answer" ;; 0*) _ssm_status=255 ;; esac
  return "$_ssm_status"
}

# Sets `_ssm_node`: the Node of the job, the one that was found the last time, or the result of a new search. Since then, another
# user may have got the place where it is.
choose_node() {
  # shellcheck source=helper/find-node.sh
  . "$_ssm_here/find-node.sh"
  can_open_files || fail STATE_UNSAFE "this process may open $_ssm_files files at once, and Node needs 64" 'raise ulimit -n'
  [ -z "${SSM_SSH_NODE-}" ] && [ -x "$_ssm_job_node" ] && _ssm_node=$_ssm_job_node && return
  { read -r _ssm_node; } 2>/dev/null <"${_ssm_state:-/dev/null}/node-path" && [ -z "${SSM_SSH_NODE-}" ] && [ -x "$_ssm_node" ] && is_protected "$_ssm_node" && return
  find_node || { [ -z "${SSM_SSH_NODE-}" ] || fail INPUT_INVALID "SSM_SSH_NODE is no Node 20 or newer: $SSM_SSH_NODE" 'set it to the path of one, or unset it to have one looked for' && fail INTERNAL "no Node 20 or newer was found to fetch the key with${_ssm_unsafe:+, but for $_ssm_unsafe, which others may replace}" \
    'install it where root or you alone may write, or say where it is: git config --system ssm.node /path/to/node, or SSM_SSH_NODE'; }
  # If it cannot be kept, the next process searches again.
  [ -z "$_ssm_state" ] || [ -n "${SSM_SSH_NODE-}" ] || { printf '%s\n' "$_ssm_node" >"$_ssm_state/node-path"; } 2>/dev/null || :
}
