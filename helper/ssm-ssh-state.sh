# shellcheck shell=sh disable=SC2034,SC2154 # What the parts of ssm-ssh read, and set.
# The part of ssm-ssh that finds the folder which is ours alone: for marks, public keys, known hosts and the agent's socket.

# Sets `_ssm_state`: the first folder that is, or can be made, ours alone; and `_ssm_socket`, the agent's.
find_state() {
  _ssm_own_id='' _ssm_reasons=''
  for _ssm_runtime in /run/user/*; do
    if [ -O "$_ssm_runtime" ] && [ ! -L "$_ssm_runtime" ]; then
      _ssm_own_id=${_ssm_runtime##*/}
      is_ours "$_ssm_runtime/ssm-ssh-agent-$_ssm_own_id" && return
    fi
  done
  case ${HOME-} in
  /*)
    if [ -O "$HOME" ]; then
      [ -n "$_ssm_own_id" ] || read_id_of_home
      [ -d "$HOME/.cache" ] || (umask 077 && mkdir -p "$HOME/.cache") 2>/dev/null
      is_ours "$HOME/.cache/ssm-ssh-agent-$_ssm_own_id" && return
    fi
    ;;
  esac
  [ -n "$_ssm_own_id" ] || read_own_id
  case ${TMPDIR-} in /*) _ssm_temporary=${TMPDIR%/} ;; *) _ssm_temporary=/tmp ;; esac
  is_ours "$_ssm_temporary/ssm-ssh-agent-$_ssm_own_id" && return
  fail STATE_UNSAFE "no folder is ours alone, of /run/user, ${HOME:-HOME}/.cache and $_ssm_temporary" \
    "see who owns $_ssm_temporary/ssm-ssh-agent-$_ssm_own_id and the folders above it (root or you, and nobody else may write there), or set HOME to a folder that you own$_ssm_reasons"
}

# Sets `_ssm_own_id`, from the name of the folder that the last one of us has made: sh reads /proc byte by byte.
read_id_of_home() {
  for _ssm_runtime in "$HOME"/.cache/ssm-ssh-agent-*; do
    if [ -O "$_ssm_runtime" ] && [ ! -L "$_ssm_runtime" ]; then _ssm_own_id=${_ssm_runtime##*-}; fi
  done
  case $_ssm_own_id in '' | *[!0123456789]*) _ssm_own_id='' && read_own_id ;; esac
}

# Sets `_ssm_own_id`, without a process where that can be.
read_own_id() {
  if [ -r /proc/self/status ]; then
    while read -r _ssm_keyword _ _ssm_value _; do
      [ "$_ssm_keyword" != Uid: ] || _ssm_own_id=$_ssm_value
    done </proc/self/status
  fi
  _ssm_own_id=${_ssm_own_id:-$(id -u)}
}

# Sets `_ssm_state` and `_ssm_socket` where nobody else may write, or even look. The modes are looked at before an agent of
# ours is there: who changes them later is ourselves. A socket's address has room for 103 bytes on some systems: for
# /ec2/agent, too.
is_ours() {
  _ssm_reason=''
  if is_fit "$1"; then
    _ssm_state=$1 _ssm_socket=$1/agent
    return
  fi
  _ssm_reasons="$_ssm_reasons; $1: ${_ssm_reason:-others have a way into it, or it cannot be made}"
  return 1
}

is_fit() {
  case $1 in *[\"\$\`\\]* | *'
'*)
    _ssm_reason="its name has a character that ssh's options cannot have"
    return 1
    ;;
  esac
  if [ ${#1} -gt 93 ]; then
    _ssm_reason='its name is too long for the path of a socket'
    return 1
  fi
  if [ -L "$1" ]; then
    _ssm_reason='it is a symbolic link'
    return 1
  fi
  if [ ! -O "$1/agent" ] || [ -L "$1/agent" ]; then
    if [ ! -O "$1/ec2/agent" ] || [ -L "$1/ec2" ]; then close "$1" || return 1; fi
  fi
  [ -d "$1" ] && [ -O "$1" ] && [ -w "$1" ]
}

# Makes the folder, or checks that nobody else can enter it, or replace it or a folder above it (the owner of a folder can,
# whatever its mode is). Sets `_ssm_reason` where it fails.
close() {
  # shellcheck source=helper/find-node.sh
  . "$_ssm_here/find-node.sh"
  if ! is_text "$1"; then
    _ssm_reason='its name is not UTF-8'
    return 1
  fi
  _ssm_reason='others own or may write to a folder above it'
  [ -d "${1%/*}" ] || _ssm_reason='there is no folder above it'
  is_protected "${1%/*}/" || return 1
  case $(ls -ldL "${1%/*}" 2>/dev/null) in d????w???[!tT]* | d???????w[!tT]*) return 1 ;; esac
  _ssm_reason='it cannot be made'
  [ -d "$1" ] || mkdir -m 700 "$1" 2>/dev/null || [ -d "$1" ] || return 1
  _ssm_reason='somebody else owns it'
  [ -O "$1" ] || return 1
  _ssm_reason='others may write to it'
  case $(ls -ld "$1" 2>/dev/null) in
  drwx------*) ;;
  d????w* | d???????w*) return 1 ;;
  d*) chmod 700 "$1" 2>/dev/null || return 1 ;;
  *) return 1 ;;
  esac
  _ssm_reason='it is on a disk that is read-only'
  [ -w "$1" ] || return 1
  _ssm_reason='its disk is full'
  # What was made for that alone goes again.
  if { printf %4096s '' >"$1/room.$$"; } 2>/dev/null && rm -f "$1/room.$$"; then return; fi
  rm -f "$1/room.$$"
  rmdir "$1" 2>/dev/null
  return 1
}

# Whether Node reads the path as we do. Where there is no iconv, ASCII is.
is_text() {
  case $(printf %s "$1" | LC_ALL=C tr -d '\040-\176') in '') return ;; esac
  printf %s "$1" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1
}
