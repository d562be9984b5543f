/**
 * A home folder for the account, for programs that ignore HOME, such as ssh. It is mounted over the real one, in a
 * mount namespace of only these programs.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';

const inside = 'mount --bind "$0" "$1" && shift && exec "$@"';

function argvIn(home: string, argv: readonly string[]): string[] {
  return ['unshare', '--mount', 'bash', '-c', inside, home, userInfo().homedir, ...argv];
}

/** Whether this machine allows it: Linux, as root. */
export function canMountHome(home: string): boolean {
  const [program = '', ...args] = argvIn(home, ['true']);
  return spawnSync(program, args).status === 0;
}

/** The script of a `run` step, for that home. */
export function scriptIn(home: string, script: string): string {
  const quoted = argvIn(home, ['bash', '-e', '-c', script]).map(
    (word) => `'${word.replaceAll("'", `'\\''`)}'`,
  );
  return quoted.join(' ');
}

/**
 * A `node` for that home. A bash script, because bash passes on variables with hyphens in their names, as inputs have;
 * dash drops them.
 */
export function nodeIn(home: string, file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const [program, ...args] = argvIn(home, [process.execPath]);
  const script = `const { signal, status } = require('node:child_process').spawnSync(
    ${JSON.stringify(program)}, [...${JSON.stringify(args)}, ...process.argv.slice(2)], { stdio: 'inherit' });
    if (signal) process.kill(process.pid, signal); else process.exit(status);`;
  writeFileSync(file, `#!${process.execPath}\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

export function sshFile(home: string, name: string): string {
  return join(home, '.ssh', name);
}
