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
      give_up INTERNAL "the action that put this program here is not to be seen: $installation" \
        'in a container of your own, install it there: npm install --global ssm-ssh-agent'
    fi
  fi
  # shellcheck source-path=SCRIPTDIR source=find-node.sh
  . "$helper/find-node.sh"
  if [ -z "${SSM_SSH_NODE:-}" ] && [ -x "$node" ]; then
    : # The job's.
  elif ! find_node; then
    if [ -n "${SSM_SSH_NODE:-}" ]; then
      give_up INPUT_INVALID "SSM_SSH_NODE is no Node 20 or newer: $SSM_SSH_NODE" \
        'set it to the path of one, or unset it to have one looked for'
    elif [ -n "$unsafe" ]; then
      give_up INTERNAL "others may replace $unsafe or a folder above it, and no other Node 20 or newer was found" \
        'install Node where root or you alone may write, or set SSM_SSH_NODE to run it all the same'
    fi
    give_up INTERNAL 'no Node 20 or newer was found on PATH or in an Actions runner' \
      'install Node 20 or newer, or set SSM_SSH_NODE to the path of one'
  fi
  # As in ssm-ssh-ec2.sh: what a tunnel leaves behind is collected early.
  [ "${2-}" != proxy ] || exec "$node" --max-semi-space-size=2 "${helper%/*}/dist/programs/index.js" "$@"
  exec "$node" "${helper%/*}/dist/programs/index.js" "$@"
}

# give_up CODE MESSAGE HINT. Paths are text of others: their control characters are made visible, as by `tell` of ssm-ssh.
give_up() {
  for word in "$program: $1: $2" "hint: $3"; do
    # Where PATH is poor there may be no tr.
    case $word in *[![:print:]]*) word=$(printf '%s' "$word" | LC_ALL=C command -p tr '\001-\037\177' '?') ;; esac
    printf '%s\n' "$word"
  done >&2
  case $1 in INPUT_INVALID) exit 2 ;; esac
  exit 1
}
