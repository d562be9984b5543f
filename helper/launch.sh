# shellcheck shell=sh disable=SC2154 # `_ssm_helper`: the folder of this file, which whoever sources it has found.
# launch PROGRAM ARGUMENT …: finds a Node, and becomes the program in dist.
#
# Whatever the caller exported is the command's of exec: all names that are set here begin with _ssm_, and find_node sets its
# own in a subshell.
#
# In a job the action puts copies under RUNNER_TEMP, beside which it notes where it is installed and the Node that ran it.

launch() {
  _ssm_program=$1 _ssm_node=''
  if [ -r "$_ssm_helper/../installation" ]; then
    { read -r _ssm_installation && read -r _ssm_node; } <"$_ssm_helper/../installation"
    _ssm_helper=$_ssm_installation/helper
    if [ ! -r "$_ssm_helper/find-node.sh" ]; then
      echo "$_ssm_program: INTERNAL: the action that put this program here is not to be seen: $_ssm_installation" >&2
      echo 'hint: in a container of your own, install it there: npm install --global ssm-ssh-agent' >&2
      exit 1
    fi
  fi
  # shellcheck source-path=SCRIPTDIR source=find-node.sh
  . "$_ssm_helper/find-node.sh"
  if [ -z "${SSM_SSH_NODE:-}" ] && [ -x "$_ssm_node" ]; then
    : # The job's.
  elif ! _ssm_node=$(find_node && printf %s "$node"); then
    if [ -n "${SSM_SSH_NODE:-}" ]; then
      echo "$_ssm_program: INPUT_INVALID: SSM_SSH_NODE is no Node 20 or newer: $SSM_SSH_NODE" >&2
      echo 'hint: set it to the path of one, or unset it to have one looked for' >&2
      exit 2
    fi
    echo "$_ssm_program: INTERNAL: no Node 20 or newer was found on PATH or in an Actions runner" >&2
    echo 'hint: install Node 20 or newer, or set SSM_SSH_NODE to the path of one' >&2
    exit 1
  fi
  # As in ssm-ssh-ec2.sh: what a tunnel leaves behind is collected early.
  [ "${2-}" != proxy ] || exec "$_ssm_node" --max-semi-space-size=2 "${_ssm_helper%/*}/dist/programs/index.js" "$@"
  exec "$_ssm_node" "${_ssm_helper%/*}/dist/programs/index.js" "$@"
}
