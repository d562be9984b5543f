# shellcheck shell=sh
# find_node: sets `_ssm_node` to a Node 20 or newer, or returns 1. To be sourced; works under set -u, in dash, bash and
# busybox.
#
# Services start with a short PATH, and the host of an Actions runner may only have the runner's own Node. The order is:
# SSM_SSH_NODE, PATH, ssm.node in git's configuration, a runner's Node, the folders of installers. The result is not kept.
#
# Somebody who can replace Node can act as the user who runs it, also as root. So a Node is used only if no other user can
# replace it or a folder above it; SSM_SSH_NODE is not checked, since the caller chose it. `_ssm_unsafe` is the first Node
# that was not used for this reason.

find_node() {
  _ssm_unsafe=''
  if [ -n "${SSM_SSH_NODE-}" ]; then
    take_node "$SSM_SSH_NODE"
    return
  fi
  look_for_node || return
  # The node of a version manager is a script that runs a different Node in each folder. process.execPath is the real one.
  case $(command -p head -c 2 "$_ssm_node" 2>/dev/null) in
  '#!') take_node "$(NODE_OPTIONS='' "$_ssm_node" -p process.execPath 2>/dev/null </dev/null)" "$_ssm_node" ;;
  esac
}

look_for_node() {
  take_node "$(command -v node)" && return
  # The configuration of a repository is not read, also where GIT_DIR and such are set: it must not choose a program to run.
  _ssm_limited=$(command -v timeout >/dev/null && echo timeout 5)
  # shellcheck disable=SC2086 # Words.
  take_node "$(cd / && unset GIT_CONFIG GIT_COMMON_DIR && GIT_DIR=/dev/null $_ssm_limited git config --get ssm.node 2>/dev/null)" && return
  # An Actions runner is installed above the folders that its variables name, or in one of the usual places. The last one
  # found is tried first: of several Nodes in one runner, the newest.
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

# Sets `_ssm_node` to the first of the paths that is a Node which no other user can replace, or that SSM_SSH_NODE names.
take_node() {
  for _ssm_node; do
    [ -x "$_ssm_node" ] || continue
    if [ "$_ssm_node" != "${SSM_SSH_NODE-}" ] && ! is_protected "$_ssm_node"; then
      _ssm_unsafe=${_ssm_unsafe:-$_ssm_node}
      continue
    fi
    # Options that a Node does not know do not make it an old one: it names them when it starts.
    case $(NODE_OPTIONS='' "$_ssm_node" --version 2>/dev/null) in v[2-9][0-9].*) return ;; esac
  done
  return 1
}

# Whether Node may open as many files as it needs to start: with fewer it fails with a stack trace. The soft limit of this
# process is raised if necessary. Sets `_ssm_files`.
# shellcheck disable=SC3045 # All shells that are sh somewhere have it.
can_open_files() {
  _ssm_files=$(ulimit -n)
  [ "$_ssm_files" = unlimited ] || [ "$_ssm_files" -ge 64 ] || ulimit -S -n 64 2>/dev/null
}

# is_protected PATH [USER]: whether only root and this user can change what the path leads to: they own each folder, link
# and file on the way, and no other user may write there. In a folder with the sticky bit (/tmp) other users can add files,
# but not replace them.
is_protected() (
  # PATH may be short, or not trusted. The output of ls is read by lines, so a path with a line end is refused.
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
  # The first line is /, whose owner is root (in a user namespace root has another number).
  _ssm_list=$(ls -ldn -- "$@" 2>/dev/null) || exit 1
  printf '%s\n' "$_ssm_list" | while IFS=' ' read -r _ssm_mode _ _ssm_owner _ssm_group _; do
    _ssm_root=${_ssm_root:-$_ssm_owner}
    case " 0 $_ssm_root $_ssm_me " in *" $_ssm_owner "*) ;; *) exit 1 ;; esac
    case $_ssm_mode:$_ssm_owner:$_ssm_group in
    l* | d????????[tT]* | ?????-??-*) ;;
    # Where umask 002 is usual, each user except root has a group of the same number.
    ?????w??-*:"${_ssm_me#0}:$_ssm_me") ;;
    # On macOS admins may become root.
    ?????w??-*:80) [ -d /System/Library/CoreServices ] || exit 1 ;;
    *) exit 1 ;;
    esac
  done
)
