# shellcheck shell=sh disable=SC2154 # `helper`: the folder of this file, which whoever sources it has found.
# launch PROGRAM ARGUMENT …: finds a Node, and becomes the program in dist.
#
# In a job the action puts copies under RUNNER_TEMP, beside which it notes where it is installed and the Node that ran it.

launch() {
  program=$1 node=''
  if [ -r "$helper/../installation" ]; then
    { read -r installation && read -r node; } <"$helper/../installation"
    helper=$installation/helper
    if [ ! -r "$helper/find-node.sh" ]; then
      echo "$program: INTERNAL: the action that put this program here is not to be seen: $installation" >&2
      echo 'hint: in a container of your own, install it there: npm install --global ssm-ssh-agent' >&2
      exit 1
    fi
  fi
  # shellcheck source-path=SCRIPTDIR source=find-node.sh
  . "$helper/find-node.sh"
  if [ -z "${SSM_SSH_NODE:-}" ] && [ -x "$node" ]; then
    : # The job's.
  elif ! find_node; then
    if [ -n "${SSM_SSH_NODE:-}" ]; then
      echo "$program: INPUT_INVALID: SSM_SSH_NODE is no Node 20 or newer: $SSM_SSH_NODE" >&2
      echo 'hint: set it to the path of one, or unset it to have one looked for' >&2
      exit 2
    fi
    echo "$program: INTERNAL: no Node 20 or newer was found on PATH or in an Actions runner" >&2
    echo 'hint: install Node 20 or newer, or set SSM_SSH_NODE to the path of one' >&2
    exit 1
  fi
  # As in ssm-ssh-ec2.sh: what a tunnel leaves behind is collected early.
  [ "${2-}" != proxy ] || exec "$node" --max-semi-space-size=2 "${helper%/*}/dist/programs/index.js" "$@"
  exec "$node" "${helper%/*}/dist/programs/index.js" "$@"
}
