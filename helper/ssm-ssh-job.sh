# shellcheck shell=sh disable=SC2154,SC2034 # What ssm-ssh sets, and reads.
# The part of ssm-ssh for jobs and for exec: each use of the action, and each exec, has loaded its keys into its own agent.

# From the routes to ssh.
go_from_job() {
  read -r _ssm_job_strict <"$_ssm_job/strict" || _ssm_job_strict=yes
  find_route
  [ -n "$_ssm_keys" ] || go_beyond_routes "$@"
  require_ssh
  [ -n "$_ssm_probe" ] || keep_living_keys
  become_ssh "$@"
}

# For a repository that no route names. The order is: a section of git's configuration that names it, the repository's own
# ssh command, the default keys of the job, the default key of SSM_SSH_KEY or of git's configuration.
go_beyond_routes() {
  list_settings
  case $_ssm_listed in *ssm.*.key*) if load_host_part; then
    _ssm_wants_default=''
    choose_keys
    [ -z "$_ssm_keys" ] || go_with_keys "$@"
    # The default key of the configuration is handled below.
    find_route
  fi ;; esac
  [ -z "$_ssm_repository" ] || defer_to_repository "$@"
  if is_ec2_host; then return; fi
  take_defaults
  if [ -n "$_ssm_keys" ]; then return; fi
  case ${SSM_SSH_KEY:+ssm.key}$_ssm_listed in *ssm.key*) if load_host_part; then
    _ssm_wants_default=yes
    choose_keys
    [ -n "$_ssm_keys" ] || _ssm_keys=$_ssm_defaults
    [ -z "$_ssm_keys" ] || go_with_keys "$@"
    find_route
  fi ;; esac
}

# Keys of the host's configuration are fetched by the installation that the action noted. The command of exec only gets the
# keys that exec was given. git's probe fetches nothing.
load_host_part() {
  [ -z "$_ssm_probe" ] && [ -r "$_ssm_job/installation" ] || return 1
  if ! find_installation; then
    tell "ssm-ssh: SSM_SSH_KEY and the keys of git's configuration are passed over: the action, $_ssm_installation, is not here"
    return 1
  fi
  _ssm_here=$_ssm_installation/helper _ssm_state=''
  find_known_hosts
  # shellcheck source=helper/ssm-ssh-host.sh
  . "$_ssm_here/ssm-ssh-host.sh"
  # The job's own keys work without Node.
  _ssm_reason=$({ load_asking && choose_node; } 2>&1) ||
    ! tell "ssm-ssh: warning: keys of git's configuration are passed over: ${_ssm_reason%%"$_ssm_newline"*}" \
      "${_ssm_reason#*"$_ssm_newline"}"
}

# Sets `_ssm_installation`, the folder of the action or package that made this folder, `_ssm_job_node`, the Node that ran it,
# and `_ssm_job_region`, the region that the action was given. Fails if the installation cannot be read from here.
find_installation() {
  { read -r _ssm_installation && read -r _ssm_job_node && read -r _ssm_job_region; } <"$_ssm_job/installation" ||
    { read -r _ssm_installation && read -r _ssm_job_node; } <"$_ssm_job/origin" || return 1
  [ -r "$_ssm_installation/helper/ssm-ssh-host.sh" ]
} 2>/dev/null

# --- which key -----------------------------------------------------------------------------------------------------------

# Sets `_ssm_keys`, `_ssm_home`, `_ssm_defaults` and `_ssm_home_of_defaults` from the routes of all uses in this job.
find_route() {
  _ssm_keys='' _ssm_home=$_ssm_job _ssm_best=-1 _ssm_defaults='' _ssm_home_of_defaults='' _ssm_trusted=''
  for _ssm_name in $_ssm_jobs; do
    [ -r "$_ssm_temp/$_ssm_name/routes" ] || continue
    while read -r _ssm_number _ssm_who _ssm_pattern _ssm_number_port _ssm_path; do
      read_route "$_ssm_temp/$_ssm_name" "$_ssm_number" "$_ssm_who" "$_ssm_pattern" "$_ssm_number_port" "$_ssm_path"
    done <"$_ssm_temp/$_ssm_name/routes"
  done
}

# A command that names its own key gets no key of ours: ssh would offer the keys of our agent first, and a host accepts the
# first key that it knows. Any other command gets the default keys and the known hosts of the job, behind its own options.
defer_to_repository() {
  find_their_command
  [ -n "$_ssm_theirs" ] || return 0
  if brings_key; then
    leave_our_agent
    become_theirs "$@"
  fi
  take_defaults
  [ -n "$_ssm_probe" ] || keep_living_keys
  become_ssh "$@"
}

take_defaults() { _ssm_keys=$_ssm_defaults _ssm_home=${_ssm_home_of_defaults:-$_ssm_job}; }

# If SSH_AUTH_SOCK is the socket of a use of the action in this job, its former value is restored; a value that a later step
# has set stays. The folder is recognised by its name, because a container sees it at another path.
leave_our_agent() {
  for _ssm_name in $_ssm_jobs; do
    case ${SSH_AUTH_SOCK-} in */"$_ssm_name/agent") ;; *) continue ;; esac
    read -r _ssm_value <"$_ssm_temp/$_ssm_name/agent-before" || _ssm_value=''
    case $_ssm_value in '' | none) unset SSH_AUTH_SOCK ;; *) export SSH_AUTH_SOCK="$_ssm_value" ;; esac
  done
}

# If the agent no longer has the private key, ssh would read the .pub file as a private key.
keep_living_keys() {
  [ -n "$_ssm_keys" ] || return 0
  read_socket
  _ssm_living=''
  list_held || [ $? -ne 124 ] ||
    fail TIMEOUT "the agent on $_ssm_socket has not answered within 5 seconds" 'see what has stopped it: ps -ef | grep ssh-agent'
  while read -r _ssm_number _ssm_fingerprint _; do
    case " $_ssm_keys " in *" $_ssm_number "*) ;; *) continue ;; esac
    case $_ssm_held in *" $_ssm_fingerprint "*) ;; *) continue ;; esac
    case " $_ssm_living " in *" $_ssm_number "*) ;; *) _ssm_living="$_ssm_living $_ssm_number" ;; esac
  done <"$_ssm_home/routes"
  _ssm_keys=$_ssm_living
  [ -z "$_ssm_keys" ] || return 0
  _ssm_reason='give exec a longer --lifetime, or leave it out'
  [ ! -r "$_ssm_home/job" ] || _ssm_reason='raise key-lifetime, or use the action again before this step'
  [ ! -S "$_ssm_home/back" ] || _ssm_reason="$_ssm_reason; or its uses are taken, or its certificate was not renewed: ssm-ssh-agent log says why"
  fail AGENT_FAILED "the key for $_ssm_host/$_ssm_repository is no longer in the agent" "its lifetime is over: $_ssm_reason"
}

# Sets `_ssm_socket`: where the agent of `_ssm_home` listens.
read_socket() {
  _ssm_socket=$_ssm_home/agent
  [ ! -r "$_ssm_home/socket" ] || read -r _ssm_socket <"$_ssm_home/socket"
}

# --- ssh -----------------------------------------------------------------------------------------------------------------

# ssh adds new host keys to the first file. A shared connection (ControlPath) was authenticated with another key.
become_ssh() {
  find_known_hosts
  if [ -n "$_ssm_keys" ]; then
    read_socket
    escape "$_ssm_socket"
    _ssm_first="$_ssm_first -o IdentitiesOnly=yes -o AddKeysToAgent=no"
    option "IdentityAgent=\"$_ssm_escaped\""
    escape "$_ssm_home/keys"
    for _ssm_number in $_ssm_keys; do
      [ ! -r "$_ssm_home/keys/$_ssm_number-cert.pub" ] || option "CertificateFile=\"$_ssm_escaped/$_ssm_number-cert.pub\""
      option "IdentityFile=\"$_ssm_escaped/$_ssm_number.pub\""
    done
    guard_agent "$@"
  else
    leave_our_agent
  fi
  option ControlPath=none
  option "UserKnownHostsFile=$_ssm_job_known~/.ssh/known_hosts ~/.ssh/known_hosts2"
  option "StrictHostKeyChecking=$_ssm_job_strict"
  [ -z "$_ssm_tunnel" ] || go_through_tunnel "$@"
  arrange "$@"
  shift "$_ssm_options_end"
  if [ -z "$_ssm_repository" ] || [ -z "$_ssm_keys" ]; then eval "become_ssh_of_theirs $_ssm_head \"\$@\""; fi
  eval "stay_with_ssh $_ssm_head \"\$@\""
  eval "explain_host_key $_ssm_head \"\$@\""
  exit "$_ssm_status"
}

# Sets `_ssm_job_known`: the known_hosts files of all uses of the action in this job, in the form of ssh's option.
find_known_hosts() {
  _ssm_job_known=''
  for _ssm_name in $_ssm_jobs; do
    escape "$_ssm_temp/$_ssm_name/known_hosts"
    _ssm_job_known="$_ssm_job_known\"$_ssm_escaped\" "
  done
}
