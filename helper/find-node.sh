# shellcheck shell=sh
# find_node: sets `_ssm_node` to a Node 20 or newer, or returns 1. To be sourced; works under set -u, in dash, bash and
# busybox.
#
# Services start with a poor PATH, and a runner's host may have no Node but the runner's own. What somebody wrote down goes
# first, then PATH, then where installers put it. Nothing here is remembered.
#
# Whoever can replace the program acts as whoever runs it, root included. But for SSM_SSH_NODE, which is the caller's own
# word, a Node counts only where others can replace neither it nor a folder above it. `_ssm_unsafe` is the first one that
# was passed over.

find_node() {
  _ssm_unsafe=''
  if [ -n "${SSM_SSH_NODE-}" ]; then
    take_node "$SSM_SSH_NODE"
    return
  fi
  look_for_node || return
  # A version manager's node is a script that runs another Node in each folder, or none. Its own answer is the Node itself.
  case $(command -p head -c 2 "$_ssm_node" 2>/dev/null) in
  '#!') take_node "$("$_ssm_node" -p process.execPath 2>/dev/null </dev/null)" "$_ssm_node" ;;
  esac
}

look_for_node() {
  take_node "$(command -v node)" && return
  # No repository's own configuration is read, whatever GIT_DIR and its kin say: which program runs is for the host to say.
  take_node "$(cd / && unset GIT_CONFIG GIT_COMMON_DIR && GIT_DIR=/dev/null git config --get ssm.node 2>/dev/null)" && return
  # An Actions runner lies above the folders that it names, or where people put it. What is found last comes first: of
  # several in one runner, the newest.
  for _ssm_place in /home/*/actions-runner /actions-runner /opt/actions-runner "${HOME-}/actions-runner" \
    "${AGENT_TOOLSDIRECTORY-}" "${RUNNER_TOOL_CACHE-}" "${RUNNER_TEMP-}"; do
    while [ "$_ssm_place" != "${_ssm_place%/*}" ]; do
      for _ssm_node in "$_ssm_place"/externals/node[23][0-9]/bin/node; do set -- "$_ssm_node" "$@"; done
      _ssm_place=${_ssm_place%/*}
    done
  done
  # Then installers and version managers: nvm, asdf, mise, volta, nodenv, fnm.
  take_node "$@" /usr/local/bin/node /usr/bin/node /opt/homebrew/bin/node \
    "${HOME-}"/.nvm/versions/node/*/bin/node "${HOME-}"/.asdf/installs/nodejs/*/bin/node \
    "${HOME-}"/.local/share/mise/installs/node/*/bin/node "${HOME-}"/.volta/tools/image/node/*/bin/node \
    "${HOME-}"/.nodenv/versions/*/bin/node "${HOME-}"/.local/share/fnm/node-versions/*/installation/bin/node
}

# Sets `_ssm_node` to the first of the paths that leads to a Node which nobody else can replace, or which is the caller's
# own word.
take_node() {
  for _ssm_node; do
    [ -x "$_ssm_node" ] || continue
    if [ "$_ssm_node" != "${SSM_SSH_NODE-}" ] && ! is_protected "$_ssm_node"; then
      _ssm_unsafe=${_ssm_unsafe:-$_ssm_node}
      continue
    fi
    case $("$_ssm_node" --version 2>/dev/null) in v[2-9][0-9].*) return ;; esac
  done
  return 1
}

# Whether Node may open as many files as it needs to start at all: without them it ends in a trace. A limit of this
# process's own choice is raised for it. Sets `_ssm_files`.
# shellcheck disable=SC3045 # All shells that are sh somewhere have it.
can_open_files() {
  _ssm_files=$(ulimit -n)
  [ "$_ssm_files" = unlimited ] || [ "$_ssm_files" -ge 64 ] || ulimit -S -n 64 2>/dev/null
}

# is_protected PATH [USER]: whether nobody but root and this user chooses what the path leads to: each folder, link and file
# on the way is theirs, and no other may write there. In a folder with the sticky bit (/tmp) others may add something, and
# replace nothing.
is_protected() (
  # PATH is poor, or may be the reason to ask. A line of ls is read, in which a line end would be another's.
  export LC_ALL=C PATH="/usr/bin:/bin:${PATH-}"
  case $1 in *[[:cntrl:]]*) exit 1 ;; /*) ;; *) exit 1 ;; esac
  _ssm_rest=${1#/}/ _ssm_place='' _ssm_links=0 _ssm_root='' _ssm_me=${2:-$(id -u)}
  set -- /
  while [ -n "$_ssm_rest" ]; do
    _ssm_place=$_ssm_place/${_ssm_rest%%/*} _ssm_rest=${_ssm_rest#*/}
    set -- "$@" "$_ssm_place"
    if [ -L "$_ssm_place" ]; then
      [ "$((_ssm_links += 1))" -le 40 ] && _ssm_link=$(readlink "$_ssm_place") || exit 1
      case $_ssm_link in /*) _ssm_place='' ;; *) _ssm_place=${_ssm_place%/*} ;; esac
      _ssm_rest=${_ssm_link#/}/$_ssm_rest
    fi
  done
  # The first line is that of /, whose owner is root wherever we are (in a namespace of users, another number).
  _ssm_list=$(ls -ldn -- "$@" 2>/dev/null) || exit 1
  printf '%s\n' "$_ssm_list" | while IFS=' ' read -r _ssm_mode _ _ssm_owner _ssm_group _; do
    _ssm_root=${_ssm_root:-$_ssm_owner}
    case " 0 $_ssm_root $_ssm_me " in *" $_ssm_owner "*) ;; *) exit 1 ;; esac
    case $_ssm_mode:$_ssm_owner:$_ssm_group in
    l* | d????????[tT]* | ?????-??-*) ;;
    # Users, but not root, have a group of their own, by their number, where umask 002 is usual.
    ?????w??-*:"${_ssm_me#0}:$_ssm_me") ;;
    # On macOS admins may become root.
    ?????w??-*:80) [ -d /System/Library/CoreServices ] || exit 1 ;;
    *) exit 1 ;;
    esac
  done
)
