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
      give_up INTERNAL "the action that put this program here cannot be read: $_ssm_installation" \
        'in a container of your own, install it there: npm install --global ssm-ssh-agent'
    fi
  fi
  # shellcheck source-path=SCRIPTDIR source=find-node.sh
  . "$_ssm_helper/find-node.sh"
  if [ -z "${SSM_SSH_NODE:-}" ] && [ -x "$_ssm_node" ]; then
    : # The job's.
  elif ! _ssm_node=$(find_node && printf %s "$node"); then
    if [ -n "${SSM_SSH_NODE:-}" ]; then
      give_up INPUT_INVALID "SSM_SSH_NODE is no Node 20 or newer: $SSM_SSH_NODE" \
        'set it to the path of one, or unset it to have one looked for'
    fi
    # In a subshell, so that the names of find-node.sh change nothing here; it runs again for what it says of others.
    _ssm_unsafe=$(find_node || printf %s "$unsafe")
    if [ -n "$_ssm_unsafe" ]; then
      give_up INTERNAL "others may replace $_ssm_unsafe or a folder above it, and no other Node 20 or newer was found" \
        'install Node where root or you alone may write, or set SSM_SSH_NODE to run it all the same'
    fi
    give_up INTERNAL 'no Node 20 or newer was found on PATH or in an Actions runner' \
      'install Node 20 or newer, or set SSM_SSH_NODE to the path of one'
  fi
  can_open_files || give_up STATE_UNSAFE "this process may open $_ssm_files files at once, and Node needs 64" 'raise ulimit -n'
  # As in ssm-ssh-ec2.sh: what a tunnel leaves behind is collected early.
  [ "${2-}" != proxy ] || exec "$_ssm_node" --max-semi-space-size=2 "${_ssm_helper%/*}/dist/programs/index.js" "$@"
  exec "$_ssm_node" "${_ssm_helper%/*}/dist/programs/index.js" "$@"
}

# give_up CODE MESSAGE HINT. Paths are text of others: their control characters are made visible, as by `tell` of ssm-ssh.
give_up() {
  for _ssm_word in "$_ssm_program: $1: $2" "hint: $3"; do
    # Where PATH is poor there may be no tr.
    case $_ssm_word in
      *[![:print:]]*) _ssm_word=$(printf '%s' "$_ssm_word" | LC_ALL=C command -p tr '\001-\037\177' '?') ;;
    esac
    printf '%s\n' "$_ssm_word"
  done >&2
  case $1 in INPUT_INVALID) exit 2 ;; esac
  exit 1
}
