# shellcheck shell=sh disable=SC2154 # What forced-command.ts puts before it: git, folder, repositories, journal.
# GitHub's side of one session: it knows which key was accepted, decides from that key's grants alone, notes the verdict in
# the journal and becomes git. Its arguments are a grant file and a fingerprint. With hardly a process, because their start
# would be most of a connection's time.

grants=$1 fingerprint=$2
command=$SSH_ORIGINAL_COMMAND
newline='
'
set -f
# shellcheck disable=SC2086 # Four words.
set -- $SSH_CONNECTION
port=${2-}

note() {
  words=$command
  while [ "$words" != "${words#*"$newline"}" ]; do words="${words%%"$newline"*} ${words#*"$newline"}"; done
  printf 'Session from port %s with %s: %s: %s\n' "$port" "$fingerprint" "$1" "$words" >>"$journal"
}
refuse() {
  note "$1"
  printf '%s\n' "$2" >&2
  exit 1
}

name=
{ read -r name; } 2>/dev/null <"$grants"
[ -n "$command" ] ||
  refuse no-shell "Hi $name! You've successfully authenticated, but GitHub does not provide shell access."

case $command in
git-upload-pack\ * | git-receive-pack\ * | git-upload-archive\ *) service=${command%% *} ;;
git\ upload-pack\ * | git\ receive-pack\ * | git\ upload-archive\ *)
  service=${command#git } service=git-${service%% *}
  ;;
*) refuse invalid-command "Invalid command: '$command'" ;;
esac

path=${command#*"${service#git-}" }
while [ "$path" != "${path# }" ]; do path=${path# }; done
case $path in \'*\') path=${path#?} path=${path%?} ;; esac
case $path in \"*\") path=${path#?} path=${path%?} ;; esac
while [ "$path" != "${path#/}" ]; do path=${path#/}; done
while [ "$path" != "${path%/}" ]; do path=${path%/}; done
path=${path%.git}
case $path in *[ABCDEFGHIJKLMNOPQRSTUVWXYZ]*) path=$(printf %s "$path" | tr '[:upper:]' '[:lower:]') ;; esac
access=
while read -r repository granted; do
  [ "$repository" = "$path" ] && access=$granted
done 2>/dev/null <"$grants"

# A repository that exists and one that does not get the same words: GitHub does not say which it was.
{ [ -n "$access" ] && [ -d "$repositories/$path.git" ]; } ||
  refuse not-found 'ERROR: Repository not found.'
[ "$service $access" != 'git-receive-pack read' ] ||
  refuse read-only 'ERROR: The key you are authenticating with has been marked as read only.'

note allowed
# Whoever's account this runs under, their git configuration is not the host's. GIT_CONFIG_GLOBAL is git 2.32's.
HOME=$folder GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export HOME GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM
unset XDG_CONFIG_HOME
exec "$git" "${service#git-}" "$repositories/$path.git"
