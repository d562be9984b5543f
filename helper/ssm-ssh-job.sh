# shellcheck shell=sh disable=SC2154,SC2034 # What ssm-ssh sets, and reads.
# The part of ssm-ssh for jobs: keys that uses of the action loaded, each into an agent of its own, and so does exec.

# From the routes to ssh, by the order of the contract.
go_from_job() {
  read -r job_strict <"$job/strict" || job_strict=yes
  find_route
  [ -n "$keys" ] || go_beyond_routes "$@"
  require_ssh
  [ -n "$probe" ] || keep_living_keys
  become_ssh "$@"
}

# For what no route names: a section of git's configuration that does, the repository's own ssh command, the default keys of
# the job, and last the key that SSM_SSH_KEY or git's configuration has for all else.
go_beyond_routes() {
  read_config
  case $config in
  *ssm.*.key\ *)
    if load_host_part; then
      find_sections
      [ -z "$wanted" ] || go_with_wanted "$@"
    fi
    ;;
  esac
  [ -z "$repository" ] || defer_to_repository "$@"
  if is_ec2_host; then return; fi
  take_defaults
  if [ -n "$keys" ] || [ -z "${SSM_SSH_KEY-}$default_key" ]; then return; fi
  if load_host_part; then
    wanted=-
    go_with_wanted "$@"
  fi
}

# The keys of hosts are fetched by what the action noted of itself. exec's command gets the keys that were named to it. git's
# probe fetches nothing.
load_host_part() {
  [ -z "$probe" ] && [ -r "$job/installation" ] || return 1
  if ! find_installation; then
    tell "ssm-ssh: SSM_SSH_KEY and the keys of git's configuration are passed over: the action, $installation, is not here"
    return 1
  fi
  here=$installation/helper
  find_known_hosts
  # shellcheck source=helper/ssm-ssh-host.sh
  . "$here/ssm-ssh-host.sh"
}

# Sets `installation`, where whoever made this folder is installed, `job_node`, the Node that ran it, and `job_region`, the
# region that the action was given. Whether it can be seen from here.
find_installation() {
  { read -r installation && read -r job_node && read -r job_region; } <"$job/installation" ||
    { read -r installation && read -r job_node; } <"$job/origin" || return 1
  [ -r "$installation/helper/ssm-ssh-host.sh" ]
} 2>/dev/null

# --- which key -----------------------------------------------------------------------------------------------------------

# Sets `keys` (numbers, in order) and `home` (the folder that they are in). A line of `routes` is
# `NUMBER FINGERPRINT HOST PORT PATH`, a default key's host is -. An exact host goes before a wildcard, then the longest path.
find_route() {
  keys='' home=$job best=-1
  for name in $jobs; do
    [ -r "$temp/$name/routes" ] || continue
    while read -r number _ pattern number_port path; do
      matches || continue
      rank=${#path}
      case $pattern in \*.*) ;; *) rank=$((rank + 100000)) ;; esac
      if [ "$rank" -gt "$best" ]; then
        best=$rank keys=$number home=$temp/$name
      elif [ "$rank" -eq "$best" ] && [ "$home" = "$temp/$name" ]; then
        keys="$keys $number"
      fi
    done <"$temp/$name/routes"
  done
}

# A command that brings a key gets nothing of ours: ssh would offer the keys of our agent first, and a host takes the first
# that it knows. Another is told of the default keys, and of the hosts that the job knows, behind what it says itself.
defer_to_repository() {
  find_their_command
  [ -n "$theirs" ] || return 0
  if brings_key; then
    leave_our_agent
    become_theirs "$@"
  fi
  take_defaults
  [ -n "$probe" ] || keep_living_keys
  become_ssh "$@"
}

take_defaults() {
  for name in $jobs; do
    [ -r "$temp/$name/routes" ] || continue
    while read -r number _ pattern _; do
      [ "$pattern" = - ] && keys="$keys $number"
    done <"$temp/$name/routes"
    if [ -n "$keys" ]; then
      home=$temp/$name
      return
    fi
  done
}

# Where SSH_AUTH_SOCK is that of a use in this job, it becomes what it was before; what a later step has set stays. The folder
# is told by its name: a container sees it at another path.
leave_our_agent() {
  for name in $jobs; do
    case ${SSH_AUTH_SOCK-} in */"$name/agent") ;; *) continue ;; esac
    read -r value <"$temp/$name/agent-before" || value=''
    case $value in '' | none) unset SSH_AUTH_SOCK ;; *) export SSH_AUTH_SOCK="$value" ;; esac
  done
}

# With a public key whose private half has left the agent, ssh would take the .pub file for a private key.
keep_living_keys() {
  [ -n "$keys" ] || return 0
  read_socket
  listed=$(SSH_AUTH_SOCK=$socket ssh-add -l 2>/dev/null)
  living=''
  while read -r number fingerprint _; do
    case " $keys " in *" $number "*) ;; *) continue ;; esac
    case $listed in *" $fingerprint "*) ;; *) continue ;; esac
    case " $living " in *" $number "*) ;; *) living="$living $number" ;; esac
  done <"$home/routes"
  keys=$living
  if [ -z "$keys" ]; then
    tell "ssm-ssh: AGENT_FAILED: the key for $host/$repository is no longer in the agent"
    if [ -r "$home/job" ]; then
      tell 'hint: its lifetime is over: raise key-lifetime, or use the action again before this step'
    else
      tell 'hint: its lifetime is over: give exec a longer --lifetime, or leave it out'
    fi
    exit 255
  fi
}

# Sets `socket`: where the agent of `home` listens.
read_socket() {
  socket=$home/agent
  [ ! -r "$home/socket" ] || read -r socket <"$home/socket"
}

# --- ssh -----------------------------------------------------------------------------------------------------------------

# ssh takes the first value that it meets of an option, so these win over ~/.ssh/config. What ssh learns about hosts goes
# into the first file; a shared connection (ControlPath) would carry another key's rights.
become_ssh() {
  find_known_hosts
  if [ -n "$keys" ]; then
    read_socket
    guard_agent "$@"
    eval "set -- $forwarding $arguments"
    forwarding='' arguments='"$@"'
  fi
  [ -n "$own_strict" ] || set -- -o "StrictHostKeyChecking=$job_strict" "$@"
  [ -n "$own_known" ] || set -- -o "UserKnownHostsFile=$job_known~/.ssh/known_hosts ~/.ssh/known_hosts2" "$@"
  set -- -o ControlPath=none "$@"
  if [ -n "$keys" ]; then
    last_first=''
    for number in $keys; do last_first="$number $last_first"; done
    escape "$home"
    for number in $last_first; do
      set -- -o "IdentityFile=\"$escaped/keys/$number.pub\"" "$@"
      [ ! -r "$home/keys/$number-cert.pub" ] || set -- -o "CertificateFile=\"$escaped/keys/$number-cert.pub\"" "$@"
    done
    escape "$socket"
    set -- -o "IdentityAgent=\"$escaped\"" -o IdentitiesOnly=yes "$@"
  else
    leave_our_agent
  fi
  go_through_tunnel "$@"
  become_ssh_of_theirs "$@"
}

# Sets `job_known`: the files of known hosts of all uses in this job, as ssh's option has them.
find_known_hosts() {
  job_known=''
  for name in $jobs; do
    escape "$temp/$name/known_hosts"
    job_known="$job_known\"$escaped\" "
  done
}
