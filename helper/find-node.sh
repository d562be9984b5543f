# shellcheck shell=sh
# find_node: sets `node` to a Node 20 or newer, or returns 1. To be sourced; works under set -u, in dash, bash and busybox.
#
# Services start with a poor PATH, and a runner's host may have no Node but the runner's own. What somebody wrote down goes
# first, then PATH, then where installers put it. Nothing here is remembered.
#
# Whoever can replace the program acts as whoever runs it, root included. But for SSM_SSH_NODE, which is the caller's own word,
# a Node counts only where others can replace neither it nor a folder above it. `unsafe` is the first one that was passed over.

find_node() {
  unsafe=''
  if [ -n "${SSM_SSH_NODE:-}" ]; then
    node=$SSM_SSH_NODE
    is_node "$node"
    return
  fi
  look_for_node && pass_shim
}

# A version manager's node is a script that runs another Node in each folder, or none. Its own answer is the Node itself.
pass_shim() {
  case $(command -p head -c 2 "$node" 2>/dev/null) in '#!') ;; *) return 0 ;; esac
  place=$("$node" -p process.execPath 2>/dev/null </dev/null)
  case $place in /*) if is_safe_node "$place"; then node=$place; fi ;; esac
}

look_for_node() {
  node=$(command -v node) && is_safe_node "$node" && return
  # No repository's own configuration is read, whatever GIT_DIR and its kin say: which program runs is for the host to say.
  node=$(cd / && unset GIT_CONFIG GIT_COMMON_DIR && GIT_DIR=/dev/null git config --get ssm.node 2>/dev/null) &&
    is_safe_node "$node" && return
  for place in "${RUNNER_TEMP:-}" "${RUNNER_TOOL_CACHE:-}" "${AGENT_TOOLSDIRECTORY:-}"; do
    while [ -n "$place" ]; do
      runner_node "$place" && return
      place=${place%/*}
    done
  done
  for place in "${HOME:-/nowhere}/actions-runner" /opt/actions-runner /actions-runner /home/*/actions-runner; do
    runner_node "$place" && return
  done
  for node in /usr/local/bin/node /usr/bin/node /opt/homebrew/bin/node; do
    is_safe_node "$node" && return
  done
  # nvm, asdf, mise, volta, nodenv, fnm
  for place in .nvm/versions/node .asdf/installs/nodejs .local/share/mise/installs/node .volta/tools/image/node \
    .nodenv/versions .local/share/fnm/node-versions; do
    for node in "${HOME:-/nowhere}/$place"/*/bin/node "${HOME:-/nowhere}/$place"/*/installation/bin/node; do
      is_safe_node "$node" && return
    done
  done
  node=''
  return 1
}

# Sets `node` to the newest of those that an Actions runner has in the folder $1.
runner_node() {
  node=''
  for place_of_node in "$1"/externals/node[23][0-9]/bin/node; do
    is_safe_node "$place_of_node" && node=$place_of_node
  done
  [ -n "$node" ]
}

is_safe_node() {
  [ -x "$1" ] || return 1
  if ! is_protected "$1"; then
    unsafe=${unsafe:-$1}
    return 1
  fi
  is_node "$1"
}

# Whether Node may open as many files as it needs to start at all: without them it ends in a trace. A limit of this process's
# own choice is raised for it. Sets `_ssm_files`.
# shellcheck disable=SC3045 # All shells that are sh somewhere have it.
can_open_files() {
  _ssm_files=$(ulimit -n)
  case $_ssm_files in *[!0123456789]*) return ;; esac
  [ "$_ssm_files" -ge 64 ] || ulimit -S -n 64 2>/dev/null
}

is_node() {
  [ -x "$1" ] || return 1
  case $("$1" --version 2>/dev/null) in
  v[2-9][0-9].*) ;;
  *) return 1 ;;
  esac
}

# Whether nobody but root and this user chooses what the path leads to: each folder, link and file on the way is theirs, and no
# other may write there. In a folder with the sticky bit (/tmp) others may add something, and replace nothing.
is_protected() (
  case $1 in
  *'
'*) exit 1 ;;
  /*) ;;
  *) exit 1 ;;
  esac
  unset IFS
  # PATH is poor, or may be the reason to ask.
  PATH=/usr/bin:/bin:${PATH-}
  rest=${1#/} place='' links=0
  set -- /
  while [ -n "$rest" ]; do
    name=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
    case $name in
    '' | .) continue ;;
    ..)
      place=${place%/*}
      continue
      ;;
    esac
    set -- "$@" "$place/$name"
    if [ -L "$place/$name" ]; then
      links=$((links + 1))
      link=$(readlink "$place/$name") && [ "$links" -le 40 ] || exit 1
      case $link in /*) place='' ;; esac
      rest=$link/$rest
    else
      place=$place/$name
    fi
  done
  me=$(id -u) || exit 1
  # LC_ALL: the first line is that of /, whose owner is root wherever we are (in a namespace of users, another number).
  # shellcheck disable=SC2012 # Of a line only what stands before the name is read.
  LC_ALL=C ls -ldn -- "$@" 2>/dev/null | {
    first='' lines=0
    while read -r mode _ owner group _; do
      lines=$((lines + 1)) first=${first:-$owner}
      case $owner in 0 | "$first" | "$me") ;; *) exit 1 ;; esac
      case $mode in
      l* | d????????[tT]*) ;;
      ????????w*) exit 1 ;;
      ?????w*)
        # Users have a group of their own, by their number, where umask 002 is usual. On macOS admins (80) may become root.
        case $owner:$group in
        0:*) exit 1 ;;
        "$me:$me") ;;
        *:80) [ -d /System/Library/CoreServices ] || exit 1 ;;
        *) exit 1 ;;
        esac
        ;;
      esac
    done
    [ "$lines" -eq $# ]
  }
)
