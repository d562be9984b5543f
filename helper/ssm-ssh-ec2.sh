# shellcheck shell=sh disable=SC2154,SC2034,SC2031 # What ssm-ssh and its other parts set, and read.
# The part of ssm-ssh for EC2 hosts: a tunnel through AWS, and a key that is made for one connection.
#
# ssh's ProxyCommand is ours (helper/commands/tunnel.ts). It opens the tunnel; meanwhile it adds a new key to an agent that
# only holds such keys, and EC2 Instance Connect pushes the public key to the instance. Known hosts are kept by the id of
# the instance and the port: AWS never uses an id again, so the first host key that is seen there stays the right one.

# From the name to the end of ssh. A key of a route, of a section or of the user takes precedence over a pushed key.
connect_to_ec2_host() {
  require_ssh
  check_login
  # A new host key is accepted, unless a setting says otherwise.
  _ssm_job_strict=accept-new _ssm_wants_default='' _ssm_of_job='' _ssm_pushes=''
  list_settings
  [ -z "$_ssm_jobs" ] || find_state_in_job
  choose_keys
  make_ec2_state
  [ -z "$_ssm_by_git" ] || [ -n "$_ssm_set_ec2" ] || require_permission
  load_asking
  choose_node
  case $_ssm_host in *=*)
    look_up
    # ssh refuses some names (ssh.c, valid_hostname): it gets the id instead.
    case $_ssm_named in
    -* | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789=.:_/@+-]*)
      _ssm_number=0
      for _ssm_value; do
        _ssm_number=$((_ssm_number + 1))
        [ "$_ssm_number" -ne "$_ssm_target_place" ] || _ssm_value=${_ssm_target%%"$_ssm_named"*}$_ssm_host${_ssm_target#*"$_ssm_named"}
        set -- "$@" "$_ssm_value"
        shift
      done
      ;;
    esac
    ;;
  esac
  _ssm_place=$_ssm_set_place && eval "$_ssm_set_place_of_host"
  if [ -z "$_ssm_own_key" ]; then
    if [ -n "$_ssm_jobs" ]; then
      find_route
      _ssm_of_job=$_ssm_keys
    fi
    [ -n "$_ssm_of_job" ] || pick_keys ''
    [ -n "$_ssm_keys" ] || _ssm_pushes=yes
  else
    _ssm_keys=''
  fi
  [ -z "$_ssm_pushes" ] || require_instance
  [ -n "$_ssm_of_job" ] || [ -z "$_ssm_keys" ] || eval "_ssm_place=\$_ssm_set_place_${_ssm_keys%% *}"
  add_tunnel
  if [ -n "$_ssm_of_job" ]; then
    keep_living_keys
    become_ssh "$@"
  fi
  if [ -n "$_ssm_keys" ]; then
    # The job's state for EC2 hosts is in another folder than the keys of this user.
    if [ -n "$_ssm_jobs" ]; then
      _ssm_state='' _ssm_own_state=''
      choose_keys
    fi
    go_with_keys "$@"
  fi
  [ -z "$_ssm_pushes" ] || guard_agent "$@"
  go_through_tunnel "$@"
}

# ssh passes the user's name to a shell, in single quotes. Anybody may have chosen it: it can come from a submodule's URL. ssh
# decodes it in a URL.
check_login() {
  case $_ssm_login${_ssm_target%"$_ssm_named"*} in
  *\'* | *%27*) fail INPUT_INVALID "the user in $_ssm_target has a quote in it" 'write the name of a user of the host' ;;
  esac
}

# git passes on the URL of a submodule, which anybody may have written. So git's commands start a session and push a key only
# if a protected setting allows it, or names the host. The repository's own settings do not count.
require_permission() {
  _ssm_keys=''
  [ -z "$_ssm_jobs" ] || find_route
  [ -n "$_ssm_keys" ] || pick_keys yes
  [ -z "$_ssm_keys" ] || return 0
  fail INPUT_INVALID "git was given the EC2 host $_ssm_named, which nothing allows it to reach" \
    'if the URL is yours: git config --global ssm.ec2Remotes true, or SSM_SSH_EC2_REMOTES=1'
}

require_instance() {
  case $_ssm_host in
  mi-*)
    fail INPUT_INVALID "$_ssm_host is no EC2 instance, and EC2 Instance Connect pushes keys to those alone" \
      "name a key that it knows: git config --global ssm.$_ssm_host.key /NAME, or -i FILE"
    ;;
  esac
}

# The job's state for EC2 hosts is beside the socket of the job's agent. After a step with sudo it can belong to another user,
# who lets nobody else in.
find_state_in_job() {
  _ssm_home=$_ssm_job
  read_socket
  _ssm_own_state=${_ssm_socket%/agent}/ec2
  [ ! -d "$_ssm_own_state" ] || [ -O "$_ssm_own_state" ] || _ssm_own_state=$_ssm_own_state-$(id -u)
  _ssm_state=$_ssm_own_state
}

# Sets `_ssm_ec2`: the folder of the agent for pushed keys, and of known hosts.
make_ec2_state() {
  _ssm_ec2=${_ssm_own_state:-$_ssm_state/ec2}
  [ -d "$_ssm_ec2" ] || (umask 077 && mkdir -p "$_ssm_ec2") 2>/dev/null ||
    fail STATE_UNSAFE "$_ssm_ec2 cannot be made" "see who owns ${_ssm_ec2%/*}"
}

# Sets `_ssm_host`: the id of the one running instance that has the tag.
look_up() {
  _ssm_place=$_ssm_set_place && eval "$_ssm_set_place_of_host" && eval "set -- $_ssm_place"
  set -- "$_ssm_here/../dist/programs/index.js" ssm-ssh find "--host=$_ssm_named" "$@"
  [ -z "$_ssm_jobs" ] || set -- "$@" "--job=$_ssm_job"
  _ssm_host=$("$_ssm_node" --no-warnings "$@" </dev/null) || exit 255
}

# --- ssh -----------------------------------------------------------------------------------------------------------------

# Adds the options of ssh for the tunnel, the host's key, and the agent that has the key.
add_tunnel() {
  _ssm_report=$_ssm_ec2/report.$$ _ssm_proxy='' _ssm_tunnel=yes
  # A tunnel makes much garbage. Collecting it early keeps the process small.
  add_words "$_ssm_node" --no-warnings --max-semi-space-size=2 "$_ssm_here/../dist/programs/index.js" ssm-ssh proxy
  add_words "--host=$_ssm_host" "--report=$_ssm_report" "--shell=$$"
  eval "add_words $_ssm_place"
  [ -z "$_ssm_jobs" ] || add_words "--job=$_ssm_job"
  [ -z "$_ssm_pushes" ] || add_words "--state=$_ssm_ec2"
  _ssm_proxy="$_ssm_proxy --port=%p"
  [ -z "$_ssm_pushes" ] || _ssm_proxy="$_ssm_proxy --user='%r'"
  option "ProxyCommand=$_ssm_proxy"
  case $_ssm_port in 22) option "HostKeyAlias=$_ssm_host" ;; *) option "HostKeyAlias=[$_ssm_host]:$_ssm_port" ;; esac
  escape "$_ssm_ec2"
  option "UserKnownHostsFile=\"$_ssm_escaped/known_hosts\" $_ssm_job_known$_ssm_set_known"
  option "StrictHostKeyChecking=${_ssm_set_strict:-$_ssm_job_strict}"
  [ -n "$_ssm_own_control" ] || option ControlPath=none
  [ -n "$_ssm_pushes" ] || return 0
  # The key is added to the agent while ssh connects. No file can name it before that, so IdentitiesOnly would hide it.
  _ssm_first="$_ssm_first -o IdentitiesOnly=no -o AddKeysToAgent=no"
  option IdentityFile=none
  option "IdentityAgent=\"$_ssm_escaped/agent\""
}

# Adds each argument to `_ssm_proxy`, as a word of the shell that ssh starts.
add_words() {
  for _ssm_value; do
    escape "$_ssm_value"
    quote "$_ssm_escaped"
    _ssm_proxy="$_ssm_proxy $_ssm_quoted"
  done
}

# With the pushed key, or with a key of the user's own.
go_through_tunnel() {
  arrange "$@"
  shift "$_ssm_options_end"
  eval "stay_with_ssh $_ssm_head \"\$@\""
  read_report
  exit "$_ssm_status"
}

# Sets `_ssm_refused` if the host refused the login, and prints the likely cause if the key was pushed. The ProxyCommand ends
# a moment after ssh, and writes its report then.
read_report() {
  _ssm_refused='' _ssm_tries=0
  while [ "$_ssm_status" -eq 255 ] && [ -z "$_ssm_signalled" ] && { read -r _ssm_value; } 2>/dev/null <"$_ssm_report"; do
    case $_ssm_value in
    open)
      [ "$_ssm_tries" -lt 20 ] || break
      _ssm_tries=$((_ssm_tries + 1))
      sleep 0.1
      ;;
    refused)
      _ssm_refused=yes
      sed 1d "$_ssm_report" >&2
      break
      ;;
    *) break ;;
    esac
  done
  # Other reports are removed by the ProxyCommand.
  [ -z "$_ssm_refused" ] || rm -f "$_ssm_report"
}
