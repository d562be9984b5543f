# shellcheck shell=sh disable=SC2154,SC2034,SC2031 # What ssm-ssh and its other parts set, and read.
# The part of ssm-ssh for EC2 hosts: a way through AWS, and a key that is made for the moment.
#
# ssh's ProxyCommand is ours (helper/commands/tunnel.ts): it opens the way, and meanwhile puts a key into an agent that is for
# such keys alone, and has EC2 Instance Connect push its public half to the instance. What goes by names here goes by the
# instance's id: AWS never gives one again, so that the first host key seen there is the one to hold the host to.

# From the name to the end of ssh. A key that a route or a section names, or the user, goes before one that is pushed.
connect_to_ec2_host() {
  require_ssh
  check_login
  read_config
  # What is new is learned, unless somebody set it.
  job_strict=accept-new
  read_settings -
  [ -z "$by_git" ] || require_permission
  find_ec2_state
  load_fetching
  choose_node
  unset IFS
  set +f
  case $host in *=*)
    look_up
    # What ssh takes for no host's name (ssh.c, valid_hostname) it is told by the id.
    case $named in
    -* | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789=.:_/@+-]*)
      number=0
      for value; do
        number=$((number + 1))
        [ "$number" -ne "$target_place" ] || value=${target%%"$named"*}$host${target#*"$named"}
        set -- "$@" "$value"
        shift
      done
      ;;
    esac
    ;;
  esac
  keys='' wanted='' pushes=''
  if [ -z "$own_key" ]; then
    [ -z "$jobs" ] || find_route
    [ -n "$keys" ] || find_sections
    [ -n "$keys$wanted" ] || pushes=yes
  fi
  [ -z "$pushes" ] || require_instance
  [ -z "$wanted" ] || read_settings "${wanted%%"$newline"*}"
  build_tunnel
  if [ -n "$keys" ]; then
    keep_living_keys
    become_ssh "$@"
  fi
  [ -z "$wanted" ] || go_with_wanted "$@"
  [ -z "$pushes" ] || guard_agent "$@"
  go_through_tunnel "$@"
}

# ssh hands the name to a shell, in quotes. A submodule's URL may have been chosen by anybody.
check_login() {
  case ${login:-${target%"$named"*}} in
  *\'*) fail INPUT_INVALID "the user in $target has a quote in it" 'write the name of a user of the host' ;;
  esac
}

# git passes a submodule's URL on as it is, and anybody may have written it: it starts a session, and pushes a key, only where
# somebody has allowed that, or has named the host. A repository allows nothing.
require_permission() {
  case ${SSM_SSH_EC2_REMOTES:-$ec2_remotes} in 1 | [Tt][Rr][Uu][Ee] | [Yy][Ee][Ss] | [Oo][Nn]) return ;; esac
  keys=''
  [ -z "$jobs" ] || find_route
  [ -z "$keys" ] || return 0
  listed=$config config=$trusted
  find_sections 2>/dev/null
  config=$listed
  [ -z "$wanted" ] || return 0
  fail INPUT_INVALID "git was given the EC2 host $named, which nothing allows it to reach" \
    'if the URL is yours: git config --global ssm.ec2Remotes true, or SSM_SSH_EC2_REMOTES=1'
}

require_instance() {
  case $host in
  mi-*)
    fail INPUT_INVALID "$host is no EC2 instance, and EC2 Instance Connect pushes keys to those alone" \
      "name a key that it knows: git config --global ssm.$host.key /NAME, or -i FILE"
    ;;
  esac
}

# Sets `ec2`: the folder of the agent for pushed keys, and of known hosts. In a job it is beside the socket of the job's own.
find_ec2_state() {
  if [ -n "$jobs" ]; then
    home=$job
    read_socket
    ec2=${socket%/agent}/ec2 state=$ec2
  else
    find_state
    ec2=$state/ec2
  fi
  [ -d "$ec2" ] || (umask 077 && mkdir -p "$ec2") 2>/dev/null ||
    fail STATE_UNSAFE "$ec2 cannot be made" "see who owns ${ec2%/ec2}"
}

# Sets `host`: the id of the one running instance that has the tag.
look_up() {
  set -- "$here/../dist/programs/index.js" ssm-ssh find "--host=$named" "--timeout=$timeout"
  [ -z "$region" ] || set -- "$@" "--region=$region"
  [ -z "$jobs" ] || set -- "$@" "--job=$job"
  [ -z "$roles" ] || set -- "$@" "--role-arn=$roles"
  host=$("$node" --no-warnings "$@" </dev/null) || exit 255
}

# --- ssh -----------------------------------------------------------------------------------------------------------------

# Sets `tunnel`, quoted for eval: what ssh is told of the way, of the host's key, and of the agent that has the key.
build_tunnel() {
  report=$ec2/report.$$ proxy=''
  # A tunnel makes much garbage, quickly: where it is collected early, the process stays small.
  add_words "$node" --no-warnings --max-semi-space-size=2 "$here/../dist/programs/index.js" ssm-ssh proxy
  add_words "--host=$host" "--report=$report" "--timeout=$timeout" "--shell=$$"
  [ -z "$via" ] || add_words "--via=$via"
  [ -z "$region" ] || add_words "--region=$region"
  [ -z "$roles" ] || add_words "--role-arn=$roles"
  [ -z "$jobs" ] || add_words "--job=$job"
  [ -z "$pushes" ] || add_words "--state=$ec2"
  proxy="$proxy --port=%p"
  [ -z "$pushes" ] || proxy="$proxy --user='%r'"
  quote "ProxyCommand=$proxy"
  tunnel="-o $quoted"
  [ -n "$own_alias" ] || tunnel="$tunnel -o HostKeyAlias=$host"
  escape "$ec2"
  known="\"$escaped/known_hosts\" $job_known"
  if [ -n "$known_hosts" ]; then
    escape "$known_hosts"
    known="$known\"$escaped\""
  fi
  quote "UserKnownHostsFile=$known"
  [ -n "$own_known" ] || tunnel="$tunnel -o $quoted"
  quote "StrictHostKeyChecking=$strict"
  [ -n "$own_strict" ] || tunnel="$tunnel -o $quoted"
  [ -n "$own_control" ] || tunnel="$tunnel -o ControlPath=none"
  [ -z "$pushes" ] || offer_pushed_keys
}

# To `proxy`, as words of the shell that ssh hands it to.
add_words() {
  for value; do
    escape "$value"
    quote "$escaped"
    proxy="$proxy $quoted"
  done
}

# The key comes into the agent while ssh connects: no file of ours could name it before, so that ssh is not held to files.
offer_pushed_keys() {
  # The agent starts while Node does, which sees to it where this fails.
  if [ ! -S "$ec2/agent" ]; then
    /bin/sh "$here/ssm-ssh-ec2-agent.sh" "$ec2" </dev/null >/dev/null 2>&1 &
  fi
  escape "$ec2/agent"
  quote "IdentityAgent=\"$escaped\""
  tunnel="$tunnel -o IdentitiesOnly=no -o IdentityFile=none -o $quoted"
}

# With the key that is pushed, or the user's own.
go_through_tunnel() {
  signalled=''
  eval "stay_with_ssh $forwarding $tunnel $arguments"
  read_report
  exit "$status"
}

# Sets `refused` where the host let nobody in, and says what is likely to be the cause where the key was pushed. The proxy
# outlives ssh by a moment, and has the last word.
read_report() {
  refused='' tries=0
  while [ "$status" -eq 255 ] && [ -z "$signalled" ] && { read -r value; } 2>/dev/null <"$report"; do
    case $value in
    open)
      [ "$tries" -lt 20 ] || break
      tries=$((tries + 1))
      sleep 0.1
      ;;
    refused)
      refused=yes
      sed 1d "$report" >&2
      break
      ;;
    *) break ;;
    esac
  done
  # What is of no use its writer takes away.
  [ -z "$refused" ] || rm -f "$report"
}
