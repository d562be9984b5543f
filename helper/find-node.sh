# shellcheck shell=sh
# find_node: sets `node` to a Node 20 or newer, or returns 1. To be sourced; works under set -u, in dash, bash and busybox.
#
# Services start with a poor PATH, and a runner's host may have no Node but the runner's own. What somebody wrote down goes
# first, then PATH, then where installers put it. Nothing here is remembered.

find_node() {
  if [ -n "${SSM_SSH_NODE:-}" ]; then
    node=$SSM_SSH_NODE
    is_node "$node"
    return
  fi
  node=$(command -v node) && is_node "$node" && return
  # No repository's own configuration is read, whatever GIT_DIR and its kin say: which program runs is for the host to say.
  node=$(cd / && unset GIT_CONFIG GIT_COMMON_DIR && GIT_DIR=/dev/null git config --get ssm.node 2>/dev/null) &&
    is_node "$node" && return
  for place in "${RUNNER_TEMP:-}" "${RUNNER_TOOL_CACHE:-}" "${AGENT_TOOLSDIRECTORY:-}"; do
    while [ -n "$place" ]; do
      runner_node "$place" && return
      place=${place%/*}
    done
  done
  for place in "${HOME:-/nowhere}/actions-runner" /opt/actions-runner /actions-runner; do
    runner_node "$place" && return
  done
  # Another user's program is nothing to run: whoever can make a folder in /home would choose it.
  for place in /home/*/actions-runner; do
    [ -O "$place" ] && runner_node "$place" && return
  done
  for node in /usr/local/bin/node /usr/bin/node /opt/homebrew/bin/node "${HOME:-/nowhere}"/.nvm/versions/node/*/bin/node; do
    is_node "$node" && return
  done
  node=''
  return 1
}

# Sets `node` to the newest of those that an Actions runner has in the folder $1.
runner_node() {
  node=''
  for place_of_node in "$1"/externals/node[23][0-9]/bin/node; do
    is_node "$place_of_node" && node=$place_of_node
  done
  [ -n "$node" ]
}

is_node() {
  [ -x "$1" ] || return 1
  case $("$1" --version 2>/dev/null) in
  v[2-9][0-9].*) ;;
  *) return 1 ;;
  esac
}
