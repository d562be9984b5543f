# shellcheck shell=sh disable=SC2154 # `_ssm_self`: the path of the program that sources this, free of links.
# Finds a Node, and becomes the program of that name in dist.
#
# exec passes the caller's environment on to its command, so all names that are set here begin with _ssm_.

# give_up STATUS CODE MESSAGE HINT. Other people chose the paths: their control characters are made visible, as `tell` of
# ssm-ssh does.
give_up() {
  # With a short PATH there may be no tr.
  _ssm_text=$(printf %s "$3" | LC_ALL=C command -p tr '\001-\037\177' '?')
  printf '%s\n' "$_ssm_program${_SSM_MARK-}: $2: $_ssm_text" "hint: $4" >&2
  exit "$1"
}

# Says why no Node was found.
refuse() {
  [ -z "${SSM_SSH_NODE-}" ] || give_up 2 INPUT_INVALID "SSM_SSH_NODE is no Node 20 or newer: $SSM_SSH_NODE" \
    'set it to the path of one, or unset it to have one looked for'
  give_up 1 INTERNAL "no Node 20 or newer was found${_ssm_unsafe:+, but for $_ssm_unsafe, which others may replace}" \
    'install it where root or you alone may write, or set SSM_SSH_NODE to the path of one'
}

_ssm_program=${_ssm_self##*/} _ssm_package=${_ssm_self%/*/*} _ssm_node=''
# In a job the action copies the programs to RUNNER_TEMP. A file beside them names the action's folder and its Node.
if [ -r "$_ssm_package/installation" ]; then
  # The connection to an EC2 host uses the role of the job, and explain reads its routes.
  case ${1-} in proxy | explain) export SSM_SSH_JOB="$_ssm_package" ;; esac
  { read -r _ssm_package && read -r _ssm_node; } <"$_ssm_package/installation"
  [ -r "$_ssm_package/helper/find-node.sh" ] ||
    give_up 1 INTERNAL "the action that put this program here cannot be read: $_ssm_package" \
      'in a container of your own, install a release there: https://github.com/OWNER/ssm-ssh-agent/blob/main/docs/install.md'
fi
# shellcheck source-path=SCRIPTDIR source=find-node.sh
. "$_ssm_package/helper/find-node.sh"
if [ -n "${SSM_SSH_NODE-}" ] || [ ! -x "$_ssm_node" ]; then
  find_node || refuse
fi
can_open_files || give_up 1 STATE_UNSAFE "this process may open $_ssm_files files at once, and Node needs 64" 'raise ulimit -n'
set -- "$_ssm_package/dist/programs/index.js" "$_ssm_program" "$@"
# As in ssm-ssh-ec2.sh: garbage is collected early, which keeps the process small.
[ "${3-}" != proxy ] || set -- --max-semi-space-size=2 "$@"
exec "$_ssm_node" "$@"
