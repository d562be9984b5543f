# shellcheck shell=sh disable=SC2154,SC2034 # What ssm-ssh sets, and reads.
# The part of ssm-ssh for hosts: keys that SSM_SSH_KEY and git's configuration name, fetched when they are needed and kept
# in the one agent of this user until their lifetime is over.
#
# The way to a key that the agent has runs git once, and nothing else before ssh. What the agent holds is told by marks
# (`live`, in each key's folder) that the agent's keeper takes away in time. Should a mark be wrong, because somebody ended
# the agent, ssh fails, and the key is fetched and tried again.

# shellcheck source=helper/ssm-ssh-state.sh
. "$here/ssm-ssh-state.sh"

# From the configuration to ssh, by the order of the contract: a section that names the repository, the repository's own
# ssh command, the default key, plain ssh.
go_from_host() {
  read_config
  find_sections
  if [ -z "$wanted" ]; then
    theirs=''
    [ -z "$repository" ] || find_their_command
    if [ -n "$theirs" ] && { [ -z "${SSM_SSH_KEY-}$default_key" ] || brings_key; }; then become_theirs "$@"; fi
    is_ec2_host || [ -z "${SSM_SSH_KEY-}$default_key" ] || wanted=-
  fi
  [ -n "$wanted" ] || become ssh "$@"
  go_with_wanted "$@"
}

# To ssh with the keys of the sections that are `wanted`. In a job, ssm-ssh-job.sh has set what begins with job_.
go_with_wanted() {
  require_ssh
  find_state
  name_identities
  fetched='' deadline=''
  for identity in $identities; do
    is_live "$identity" && continue
    load_fetching
    fetch "$identity"
  done
  build_options
  guard_agent "$@"
  options="$forwarding $tunnel $options"
  if [ -z "$repository$tunnel" ]; then
    eval "become_ssh_of_theirs $options $arguments"
  fi
  signalled='' refused=yes
  eval "stay_with_ssh $options $arguments"
  # Nobody's command runs twice: git's do nothing before git has spoken, and of others it is known whether they began.
  [ -z "$tunnel" ] || read_report
  [ "$status" -ne 255 ] || [ -n "$signalled" ] || [ -z "$refused" ] || ! { load_fetching && heal; } ||
    eval "stay_with_ssh $options $arguments"
  [ -z "$tunnel" ] || [ "$status" -ne 255 ] || rm -f "$report"
  exit "$status"
}

# What the way to a key that the agent has does without.
load_fetching() {
  # shellcheck source=helper/ssm-ssh-fetch.sh
  . "$here/ssm-ssh-fetch.sh"
}

fail() {
  tell "ssm-ssh: $1: $2" "hint: $3"
  exit 255
}

# --- what is configured --------------------------------------------------------------------------------------------------

# Sets `wanted`: the names of the sections that are the most specific of those that match, a line each.
find_sections() {
  wanted='' best=-1 warned=''
  while read -r key value; do
    case $key in ssm.*.key) ;; *) continue ;; esac
    section=${key#ssm.} section=${section%.key}
    if ! read_pattern "$section"; then
      case $warned in *"[$section]"*) continue ;; esac
      warned="${warned}[$section]"
      # What stands before an @ may be a password.
      tell "ssm-ssh: the section [ssm \"${section##*@}\"] of git's configuration names no repository: passed over"
      continue
    fi
    matches || continue
    rank=${#path}
    case $pattern in \*.*) ;; *) rank=$((rank + 100000)) ;; esac
    if [ "$rank" -gt "$best" ]; then
      best=$rank wanted=$section
    elif [ "$rank" -eq "$best" ]; then
      case "
$wanted
" in *"
$section
"*) ;; *) wanted="$wanted
$section" ;; esac
    fi
  done <<LINES
$config
LINES
  case $wanted in *'
'*) tell "ssm-ssh: several keys are offered for $host/$repository: a host takes the first that it knows" ;; esac
}

# `host[:port][/path]` as people write it, pasted URLs with their %20 too → `pattern`, `number_port`, `path`, as routes have them.
read_pattern() {
  lower "$1"
  rest=$lowered scheme='' user=''
  case $rest in *://*) scheme=yes rest=${rest#*://} ;; esac
  case ${rest%%/*} in *@*) user=yes rest=${rest#*@} ;; esac
  case $rest in
  \[*\]*)
    pattern=${rest#\[} pattern=${pattern%%\]*}
    rest=${rest#*\]}
    ;;
  *)
    pattern=${rest%%[:/]*}
    rest=${rest#"$pattern"}
    case ${pattern#\*.} in '' | *[!abcdefghijklmnopqrstuvwxyz0123456789._-]* | .* | *. | *..*) return 1 ;; esac
    ;;
  esac
  number_port=22
  case $rest in
  :*)
    number=${rest#:} number=${number%%/*}
    case $number in
    '' | *[!0123456789]*)
      # As in git@host:owner/repository.
      if [ -n "$scheme" ] || [ -z "$user" ]; then return 1; fi
      rest=${rest#:}
      ;;
    *) number_port=$number rest=${rest#":$number"} ;;
    esac
    ;;
  esac
  path=$rest
  while [ "$path" != "${path#/}" ]; do path=${path#/}; done
  while [ "$path" != "${path%/}" ]; do path=${path%/}; done
  case $scheme$path in yes*%*) decode_path ;; esac
  path=${path%.git}
  case $path in \*) path='' ;; */\*) path=${path%/\*} ;; esac
  case $path in *\** | *//*) return 1 ;; esac
}

# %20 and its like in `path`; what would be a control character stays as it is.
decode_path() {
  rest=$path path=''
  while [ "$rest" != "${rest#*%}" ]; do
    path=$path${rest%%"%"*} rest=${rest#*%}
    digits=${rest%"${rest#??}"}
    case $digits in
    [01]? | 7f) path=$path% ;;
    [23456789abcdef][0123456789abcdef])
      # Bytes of one letter come together by and by.
      # shellcheck disable=SC2059 # An octal escape, of two digits that were looked at.
      path=$path$(printf "\\$(printf %03o "0x$digits")") rest=${rest#??}
      ;;
    *) path=$path% ;;
    esac
  done
  path=$path$rest
  lower "$path"
  path=$lowered
}

# Sets `identities`: for each wanted key the folder that its public parts are in, a line each. `-` is the default key. The name
# of a folder is a hash of which key it is, and as whom and where it is read: the same reference elsewhere is another key.
name_identities() {
  identities=''
  IFS=$newline
  set -f
  for section in $wanted; do
    read_settings "$section"
    name_key
    encode "$text"
    identity=$state/keys/$encoded
    identities=$identities${identities:+$newline}$identity
  done
}

# Sets the settings of a section, or of the default key. The environment wins over git's configuration, but for what a
# section says of its own key.
read_settings() {
  reference='' passphrase='' certificate='' own_region='' own_roles='' own_lifetime='' own_timeout='' own_via=''
  ssm_passphrase='' ssm_certificate='' region='' roles='' lifetime='' known_hosts='' strict='' timeout='' via='' ec2_remotes=''
  while IFS=' ' read -r key value; do
    case $key in
    "ssm.$1.key") reference=$value ;;
    "ssm.$1.passphrase") passphrase=$value ;;
    "ssm.$1.certificate") certificate=$value ;;
    "ssm.$1.region") own_region=$value ;;
    "ssm.$1.rolearn") own_roles="$own_roles $value" ;;
    "ssm.$1.keylifetime") own_lifetime=$value ;;
    "ssm.$1.timeout") own_timeout=$value ;;
    "ssm.$1.via") own_via=$value ;;
    ssm.passphrase) ssm_passphrase=$value ;;
    ssm.certificate) ssm_certificate=$value ;;
    ssm.region) region=$value ;;
    ssm.rolearn) roles="$roles $value" ;;
    ssm.keylifetime) lifetime=$value ;;
    ssm.knownhosts) known_hosts=$value ;;
    ssm.stricthostkeychecking) strict=$value ;;
    ssm.timeout) timeout=$value ;;
    ssm.via) via=$value ;;
    ssm.ec2remotes) ec2_remotes=$value ;;
    esac
  done <<LINES
$config
LINES
  if [ "$1" = - ]; then
    reference=${SSM_SSH_KEY:-$default_key}
    passphrase=${SSM_SSH_PASSPHRASE:-$ssm_passphrase} certificate=${SSM_SSH_CERTIFICATE:-$ssm_certificate}
  fi
  region=${own_region:-${SSM_SSH_REGION:-${region:-${job_region:-${AWS_REGION:-${AWS_DEFAULT_REGION-}}}}}}
  roles=${own_roles:-${SSM_SSH_ROLE_ARN:-$roles}}
  lifetime=${own_lifetime:-${SSM_SSH_KEY_LIFETIME:-${lifetime:-1h}}}
  known_hosts=${SSM_SSH_KNOWN_HOSTS:-$known_hosts}
  strict=${SSM_SSH_STRICT_HOST_KEY_CHECKING:-${strict:-${job_strict:-yes}}}
  timeout=${own_timeout:-${SSM_SSH_TIMEOUT:-${timeout:-30s}}}
  via=${own_via:-${SSM_SSH_VIA:-$via}}
}

# Sets `text`: which key it is, and as whom and where it is read. An access key's id stands for its secret.
name_key() {
  text="$reference|$region|$roles|$passphrase|$certificate|${AWS_PROFILE-}|${AWS_ROLE_ARN-}"
  text="$text|${AWS_ACCESS_KEY_ID-}|${AWS_CONFIG_FILE-}|${AWS_SHARED_CREDENTIALS_FILE-}|${AWS_WEB_IDENTITY_TOKEN_FILE-}"
  text="$text|${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI-}|${AWS_CONTAINER_CREDENTIALS_FULL_URI-}|${AWS_ENDPOINT_URL-}"
  text="$text|${AWS_ENDPOINT_URL_SSM-}|${AWS_ENDPOINT_URL_SECRETS_MANAGER-}|${AWS_ENDPOINT_URL_STS-}"
}

# Sets `encoded`: the text's hash, in which nobody can read what was written. Texts whose key was fetched are noted beside their
# hashes, so that no program is started for them again.
encode() {
  rest=$1 encoded=''
  # shellcheck source=/dev/null
  [ ! -r "$state/names" ] || . "$state/names"
  [ -n "$encoded" ] || encoded=$(printf %s "$1" | hash)
  encoded=${encoded%% *}
  [ -n "$encoded" ] || fail INTERNAL 'no program that hashes was found' 'install coreutils (sha256sum), or git'
}

# Any will do, as long as it is always the same one here.
hash() {
  if command -v sha256sum >/dev/null; then
    sha256sum
  elif command -v shasum >/dev/null; then
    shasum -a 256
  else
    cd / && git hash-object --stdin
  fi
} 2>/dev/null

# --- the agent -----------------------------------------------------------------------------------------------------------

# Whether the agent has the key, by its mark. A mark of before this machine's last start says nothing.
is_live() {
  [ -e "$1/live" ] && [ -S "$socket" ] || return 1
  if [ -n "$repository" ] && [ -r /proc/sys/kernel/random/boot_id ]; then
    read -r boot </proc/sys/kernel/random/boot_id
    { read -r marked; } 2>/dev/null <"$state/boot" && [ "$boot" = "$marked" ]
    return
  fi
  # ssh will be all that is left of us: nobody could try again.
  holds "$1"
}

# Whether the agent itself says that it has the key.
holds() {
  { read -r fingerprint; } 2>/dev/null <"$1/fingerprint" || return 1
  ask_agent
  case $held in *" $fingerprint "*) ;; *) return 1 ;; esac
}

# Sets `held`: a line for each key of the agent. Answers 1 where there is none, and 2 where there is no agent.
ask_agent() {
  read_left
  held=$(SSH_AUTH_SOCK=$socket limited ssh-add -l 2>/dev/null)
  number=$?
  case $number in 124 | 137 | 143)
    fail TIMEOUT "the agent on $socket has not answered within $limit seconds" \
      'end it: ssm-ssh-agent flush; its keys are fetched anew'
    ;;
  esac
  return "$number"
}

# --- time ----------------------------------------------------------------------------------------------------------------

# limited PROGRAM …: it is ended when the time is over. macOS has no timeout(1), and waits.
limited() {
  [ "$left" -ge 1 ] || left=1
  if command -v timeout >/dev/null; then timeout "$left" "$@"; else "$@"; fi
}

# Sets `left`: how many seconds are left of ssm.timeout, which runs from the first time that this is asked.
read_left() {
  if [ -r /proc/uptime ]; then
    read -r left _ </proc/uptime
    left=${left%%.*}
  else
    left=$(date +%s)
  fi
  if [ -z "$deadline" ]; then
    read_limit
    deadline=$((left + limit))
  fi
  left=$((deadline - left))
}

# Sets `limit`: `timeout` in seconds, as src/keys/lifetime.ts reads it. What is no duration Node says.
read_limit() {
  rest=$timeout limit=0
  while [ -n "$rest" ]; do
    number=${rest%%[!0123456789]*} letter=${rest#"${rest%%[!0123456789]*}"}
    rest=${letter#?} letter=${letter%"$rest"}
    number=${number#"${number%%[!0]*}"}
    [ ${#number} -le 6 ] || number=999999
    case $letter in
    '' | [Ss]) ;;
    [Mm]) number=$((${number:-0} * 60)) ;;
    [Hh]) number=$((${number:-0} * 3600)) ;;
    *) number=999999 ;;
    esac
    limit=$((limit + ${number:-0}))
  done
  [ "$limit" -ge 1 ] || limit=1
}

# --- ssh -----------------------------------------------------------------------------------------------------------------

# Sets `options`, quoted for eval. ssh takes the first value that it meets of an option. What it learns about hosts goes
# into the first file of known hosts.
build_options() {
  escape "$state"
  known="$job_known\"$escaped/known_hosts\" \"$escaped/pinned_hosts\""
  if [ -n "$known_hosts" ]; then
    escape "$known_hosts"
    known="$known \"$escaped\""
  fi
  options=''
  quote "UserKnownHostsFile=$known ~/.ssh/known_hosts ~/.ssh/known_hosts2"
  [ -n "$own_known" ] || options="-o $quoted"
  escape "$socket"
  quote "IdentityAgent=\"$escaped\""
  options="-o IdentitiesOnly=yes -o $quoted $options"
  [ -n "$own_control" ] || options="$options -o ControlPath=none"
  for identity in $identities; do
    escape "$identity"
    if [ -r "$identity/key-cert.pub" ]; then
      quote "CertificateFile=\"$escaped/key-cert.pub\""
      options="$options -o $quoted"
    fi
    quote "IdentityFile=\"$escaped/key.pub\""
    options="$options -o $quoted"
  done
  quote "StrictHostKeyChecking=$strict"
  [ -n "$own_strict" ] || options="$options -o $quoted"
  unset IFS
  set +f
}

# Sets `status`. As ssh's parent, which hands its standard input on and the signals that it gets: a shell that waits would
# keep them, and what it starts in the background ignores SIGINT.
stay_with_ssh() {
  exec 3<&0
  # ssh hands its ProxyCommand to the shell of the account, which may be one that refuses, as nologin does.
  [ -z "$tunnel" ] || export SHELL=/bin/sh
  become_ssh_of_theirs "$@" <&3 3<&- &
  child=$!
  exec 3<&-
  trap 'signalled=yes again=yes; kill -HUP "$child"' HUP
  trap 'signalled=yes again=yes; kill -TERM "$child"' INT TERM
  status=''
  while :; do
    again=''
    wait "$child"
    number=$?
    # 127: it has been waited for before.
    [ "$number" -eq 127 ] && [ -n "$status" ] || status=$number
    [ -n "$again" ] || break
  done
  trap - HUP INT TERM
}
