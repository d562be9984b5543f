# shellcheck shell=sh disable=SC2154 # forced-command.ts sets: git, folder, repositories, journal.
# GitHub's part of one session: it checks the grants of the accepted key, writes the result to the journal and replaces
# itself with git. Its arguments are a grant file and a fingerprint. It starts few processes, because they would take most of
# a connection's time.

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

# Like GitHub, gives the same message for a missing repository and for one without access.
{ [ -n "$access" ] && [ -d "$repositories/$path.git" ]; } ||
  refuse not-found 'ERROR: Repository not found.'
[ "$service $access" != 'git-receive-pack read' ] ||
  refuse read-only 'ERROR: The key you are authenticating with has been marked as read only.'

note allowed
# The configuration of the account's user must not apply. GIT_CONFIG_GLOBAL exists since git 2.32.
HOME=$folder GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export HOME GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM
unset XDG_CONFIG_HOME
exec "$git" "${service#git-}" "$repositories/$path.git"
