/**
 * GitHub's side of one session, as the program that both servers run: it knows which key was accepted, decides
 * from that key's grants alone, notes the verdict in the journal and becomes git. In sh, because Node's start
 * would be most of a connection's time.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Places {
  readonly folder: string;
  readonly repositories: string;
  readonly journal: string;
}

/** Writes the program into `folder` and returns its path. Its arguments are a grant file and a fingerprint. */
export function writeForcedCommand({ folder, repositories, journal }: Places): string {
  const program = join(folder, 'github');
  // sshd's PATH is its own and may lack the git that the tests use.
  const git = execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const settings = { git, folder, repositories, journal };
  const assignments = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(program, `#!/bin/sh\n${assignments.join('')}${script}`, { mode: 0o700 });
  return program;
}

const script = String.raw`
grants=$1 fingerprint=$2
command=$SSH_ORIGINAL_COMMAND
port=$(set -- $SSH_CONNECTION; printf %s "$2")

note() {
  printf 'Session from port %s with %s: %s: %s\n' \
    "$port" "$fingerprint" "$1" "$(printf %s "$command" | tr '\n' ' ')" >>"$journal"
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

service=
for known in git-upload-pack git-receive-pack git-upload-archive; do
  case $command in
  "$known "* | "git $(printf %s "$known" | cut -c5-) "*) service=$known ;;
  esac
done
[ -n "$service" ] || refuse invalid-command "Invalid command: '$command'"

path=$(printf %s "$command" | sed -e 's/^git[ -][a-z-]* *//' -e "s/^'\(.*\)'\$/\1/" -e 's/^"\(.*\)"$/\1/' \
  -e 's|^/*||' -e 's|/*$||' -e 's/\.git$//' | tr '[:upper:]' '[:lower:]')
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
exec "$git" "$(printf %s "$service" | cut -c5-)" "$repositories/$path.git"
`;
