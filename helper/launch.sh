# shellcheck shell=sh disable=SC2154 # `helper`: the folder of this file, which whoever sources it has found.
# launch PROGRAM ARGUMENT …: becomes the program in dist, by the Node in `node` or, where that is empty, by one that is found.

launch() {
  program=$1
  # shellcheck source-path=SCRIPTDIR source=find-node.sh
  . "$helper/find-node.sh"
  if [ -z "${node:-}" ] && ! find_node; then
    if [ -n "${SSM_SSH_NODE:-}" ]; then
      echo "$program: INPUT_INVALID: SSM_SSH_NODE is no Node 20 or newer: $SSM_SSH_NODE" >&2
      echo 'hint: set it to the path of one, or unset it to have one looked for' >&2
      exit 2
    fi
    echo "$program: INTERNAL: no Node 20 or newer was found on PATH or in an Actions runner" >&2
    echo 'hint: install Node 20 or newer, or set SSM_SSH_NODE to the path of one' >&2
    exit 1
  fi
  exec "$node" "${helper%/*}/dist/programs/index.js" "$@"
}
