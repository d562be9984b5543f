# shellcheck shell=sh disable=SC2154,SC2034,SC2031 # What ssm-ssh sets, and reads.
# The part of ssm-ssh for hosts: keys that SSM_SSH_KEY and git's configuration name, fetched when they are needed and kept
# in the one agent of this user until their lifetime is over.
#
# If the agent has the key, one git and then ssh are started, and nothing else. A mark (`live`, in each key's folder) says
# until when the agent has the key. If a mark is wrong, because somebody ended the agent, ssh fails, and the key is fetched
# and tried again.

# From the configuration to ssh. The order is: a section that names the repository, the repository's own ssh command, the
# default key, plain ssh.
go_from_host() {
  list_settings
  _ssm_keys='' _ssm_defaults=''
  case ${SSM_SSH_KEY:+ssm.key}$_ssm_listed in *ssm.*key*)
    _ssm_wants_default=yes
    choose_keys
    ;;
  esac
  if [ -z "$_ssm_keys" ]; then
    _ssm_theirs=''
    [ -z "$_ssm_repository" ] || find_their_command
    if [ -n "$_ssm_theirs" ] && { [ -z "$_ssm_defaults" ] || brings_key; }; then become_theirs "$@"; fi
    is_ec2_host || _ssm_keys=$_ssm_defaults
  fi
  [ -n "$_ssm_keys" ] || become ssh "$@"
  go_with_keys "$@"
}

# To ssh with the `_ssm_keys` that were chosen. In a job, ssm-ssh-job.sh has set the names that begin with _ssm_job_.
go_with_keys() {
  require_ssh
  for _ssm_number in $_ssm_keys; do
    eval "_ssm_identity=\$_ssm_set_key_$_ssm_number _ssm_socket=\$_ssm_set_socket_$_ssm_number _ssm_limit=\$_ssm_set_limit_$_ssm_number"
    is_live "$_ssm_identity" && continue
    load_asking
    ask "$_ssm_identity" "$_ssm_identity" ''
  done
  add_options
  guard_agent "$@"
  arrange "$@"
  shift "$_ssm_options_end"
  if [ -z "$_ssm_repository$_ssm_tunnel" ]; then
    eval "become_ssh_of_theirs $_ssm_head \"\$@\""
  fi
  eval "stay_with_ssh $_ssm_head \"\$@\""
  # No command runs twice: git's remote commands do nothing before git writes to them, and of other commands it is known
  # whether they began.
  [ -z "$_ssm_tunnel" ] || read_report
  [ "$_ssm_status" -ne 255 ] || [ -n "$_ssm_signalled" ] || [ -z "$_ssm_refused" ] || ! heal ||
    eval "stay_with_ssh $_ssm_head \"\$@\""
  [ -z "$_ssm_tunnel" ] || [ "$_ssm_status" -ne 255 ] || rm -f "$_ssm_report"
  eval "explain_host_key $_ssm_head \"\$@\""
  exit "$_ssm_status"
}

# Not needed if the agent has the key.
load_asking() {
  # shellcheck source=helper/ssm-ssh-ask.sh
  . "$_ssm_here/ssm-ssh-ask.sh"
}

# After ssh failed: whether to try again, because the agent had lost the key, or AWS has a newer version.
heal() {
  [ -z "$_ssm_set_fetched" ] || return 1
  load_asking
  _ssm_again=1
  for _ssm_number in $_ssm_keys; do
    eval "_ssm_identity=\$_ssm_set_key_$_ssm_number _ssm_socket=\$_ssm_set_socket_$_ssm_number _ssm_limit=\$_ssm_set_limit_$_ssm_number"
    _ssm_set_fetched='' _ssm_version=''
    { read -r _ssm_version; } 2>/dev/null <"$_ssm_identity/version"
    ask "$_ssm_identity" "$_ssm_identity" "${_ssm_version:-none}"
    [ -z "$_ssm_set_fetched" ] || _ssm_again=0
  done
  # `ask` has changed it.
  _ssm_status=255
  return "$_ssm_again"
}

# --- what is configured --------------------------------------------------------------------------------------------------

# Sets `_ssm_keys` and `_ssm_defaults`, the numbers of routes of the configuration. If Node has compiled the same text before
# (src/host/compile.ts), that result is used. Otherwise Node compiles it now, and fetches the keys at once; with
# `_ssm_wants_default` also the default key if no other key matches.
choose_keys() {
  [ -n "$_ssm_state" ] || find_state
  render_text
  _ssm_set_found=''
  if ! find_compiled; then
    load_asking
    ask_for_text
  fi
  _ssm_state=$_ssm_set_state _ssm_socket=$_ssm_set_state/agent
  [ -z "$_ssm_set_told" ] || tell_warnings
  pick_keys ''
  case $_ssm_keys in *' '*) tell "ssm-ssh: several keys are offered for $_ssm_host/$_ssm_repository: a host takes the first that it knows" ;; esac
}

# Sets `_ssm_state`, the folder of this user's agent, by the rules of src/host/state-folder.ts; empty if there is none yet.
# The mode is not checked again: only this user can have changed it.
find_state() {
  case ${TMPDIR-} in /*) _ssm_temporary=${TMPDIR%/} ;; *) _ssm_temporary=/tmp ;; esac
  for _ssm_state in /run/user/*/ssm-ssh-agent-* "${HOME-}"/.cache/ssm-ssh-agent-* "$_ssm_temporary"/ssm-ssh-agent-*; do
    if [ ! -O "$_ssm_state" ] || [ -L "$_ssm_state" ] || is_of_another_machine; then continue; fi
    [ -O "$_ssm_state/agent" ] && [ ! -L "$_ssm_state/agent" ] && return
    [ -O "$_ssm_state/ec2/agent" ] && [ ! -L "$_ssm_state/ec2" ] && return
    [ -O "$_ssm_state/kms" ] && [ ! -L "$_ssm_state/kms" ] && return
  done
  _ssm_state=''
}

pick_keys() {
  _ssm_keys='' _ssm_defaults='' _ssm_best=-1 _ssm_home='' _ssm_home_of_defaults='' _ssm_trusted=$1
  # Not by a here-document, for which bash may need a temporary file.
  IFS=$_ssm_newline && set -f
  # shellcheck disable=SC2086 # Split at line ends, then at spaces.
  for _ssm_value in $_ssm_set_routes; do
    unset IFS
    read_route - $_ssm_value
  done
  unset IFS && set +f
  _ssm_defaults=${_ssm_defaults# }
}

# One warning per line.
tell_warnings() {
  IFS=$_ssm_newline && set -f
  # shellcheck disable=SC2086 # Split at line ends.
  tell $_ssm_set_told
  unset IFS && set +f
}

# Whether several machines share the home folder, and another one keeps its agent there. Not checked without /proc.
is_of_another_machine() {
  { read -r _ssm_rest </proc/sys/kernel/hostname && read -r _ssm_name <"$_ssm_state/machine"; } 2>/dev/null &&
    [ "$_ssm_rest" != "$_ssm_name" ]
}

# Sets `_ssm_text`, which is different for different configurations. src/host/compile.ts makes the same text. It begins with
# the number of the format, so that each version of the format has texts of its own.
render_text() {
  _ssm_text="5${_ssm_repository:+ git}$_ssm_newline$_ssm_job_region"
  for _ssm_name in \
    HOME SSM_SSH_KEY SSM_SSH_PASSPHRASE SSM_SSH_CERTIFICATE SSM_SSH_REGION SSM_SSH_ROLE_ARN SSM_SSH_KEY_LIFETIME SSM_SSH_KNOWN_HOSTS \
    SSM_SSH_STRICT_HOST_KEY_CHECKING SSM_SSH_TIMEOUT SSM_SSH_VIA SSM_SSH_EC2_REMOTES GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS \
    AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE AWS_ROLE_ARN AWS_ACCESS_KEY_ID AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE \
    AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_ENDPOINT_URL \
    AWS_ENDPOINT_URL_SSM AWS_ENDPOINT_URL_SECRETS_MANAGER AWS_ENDPOINT_URL_KMS AWS_ENDPOINT_URL_STS \
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_EC2_METADATA_SERVICE_ENDPOINT AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE SSM_SSH_CACHE \
    AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_EC2_METADATA_DISABLED AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE \
    AWS_ENDPOINT_URL_SSO AWS_ENDPOINT_URL_SSO_OIDC AWS_ENDPOINT_URL_SIGNIN AWS_LOGIN_CACHE_DIRECTORY; do
    eval "[ -z \"\${$_ssm_name+x}\" ] || _ssm_text=\$_ssm_text\$_ssm_newline\$_ssm_name=\$$_ssm_name"
  done
  for _ssm_part in "${HOME-}"/.aws/config "${HOME-}"/.aws/credentials; do [ ! -e "$_ssm_part" ] || _ssm_text=$_ssm_text$_ssm_newline$_ssm_part; done
  _ssm_text=$_ssm_text${_ssm_listed:+$_ssm_newline$_ssm_listed}
}

# Whether this text was compiled before. A file sets `_ssm_set_found` and the other names if its text is the same. The file
# may be removed at any moment: with `command` that does not end this shell.
find_compiled() {
  for _ssm_part in "$_ssm_state"/compiled/*; do
    # shellcheck source=/dev/null
    command . "$_ssm_part" 2>/dev/null
    [ -z "$_ssm_set_found" ] || return 0
  done
  return 1
}

# --- the agent -----------------------------------------------------------------------------------------------------------

# Whether the agent has the key, by its mark: `BOOT UNTIL`, as src/host/mark.ts writes it. A mark from before the last boot
# does not count.
is_live() {
  { read -r _ssm_marked _ssm_until; } 2>/dev/null <"$1/live" && [ -S "$_ssm_socket" ] || return 1
  if [ -r /proc/sys/kernel/random/boot_id ] && [ -r /proc/uptime ]; then
    read -r _ssm_boot </proc/sys/kernel/random/boot_id
    read -r _ssm_now _ </proc/uptime
    _ssm_now=${_ssm_now%%.*}
  else
    _ssm_boot=- _ssm_now=$(date +%s)
  fi
  [ "$_ssm_marked" = "$_ssm_boot" ] || return 1
  [ "$_ssm_until" = 0 ] || [ "$_ssm_now" -lt "$_ssm_until" ] || return 1
  # For commands that are not git's this shell becomes ssh, and nobody could try again.
  [ -n "$_ssm_repository" ] || holds "$1"
}

# Whether the agent itself lists the key. If the agent hangs, Node reports that.
holds() {
  { read -r _ssm_fingerprint; } 2>/dev/null <"$1/fingerprint" || return 1
  list_held
  case $_ssm_held in *" $_ssm_fingerprint "*) ;; *) return 1 ;; esac
}

# --- ssh -----------------------------------------------------------------------------------------------------------------

# ssh adds new host keys to the first file of UserKnownHostsFile.
add_options() {
  _ssm_first="$_ssm_first -o IdentitiesOnly=yes -o AddKeysToAgent=no"
  for _ssm_number in $_ssm_keys; do
    eval "_ssm_identity=\$_ssm_set_key_$_ssm_number"
    [ ! -r "$_ssm_identity/key-cert.pub" ] || eval "_ssm_options=\"\$_ssm_options \$_ssm_set_certificate_$_ssm_number\""
    eval "_ssm_options=\"\$_ssm_options \$_ssm_set_identity_$_ssm_number\""
  done
  # A shared connection was authenticated with another key.
  [ -n "$_ssm_own_control" ] || option ControlPath=none
  option "UserKnownHostsFile=$_ssm_job_known$_ssm_set_hosts"
  option "StrictHostKeyChecking=${_ssm_set_strict:-${_ssm_job_strict:-yes}}"
}
