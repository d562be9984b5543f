/** What helper/ssm-ssh and ssh itself read from many command lines. One shell reads a batch, so that it takes seconds. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Shell } from '../../support/shells.ts';

type Line = readonly string[];

/** The names of the script, without `_ssm_`. */
const names = [
  ...(['target', 'host', 'port', 'login', 'command', 'probe', 'own', 'own_key', 'own_way'] as const),
  ...(['own_control', 'forwards', 'forwards_option', 'options_end', 'unknown', 'refused'] as const),
];
export type ShellReading = Readonly<Record<(typeof names)[number], string>>;

const helper = join(dirname(dirname(dirname(import.meta.dirname))), 'helper');

/** `refused`: whether the user's name is refused for EC2 hosts. */
function scriptOfShell(): string {
  const script = readFileSync(join(helper, 'ssm-ssh'), 'utf8').replace(/^main "\$@"\n$/m, '');
  const report = names.map((name) => `"$_ssm_${name}"`).join(' ');
  return `${script}
. '${helper}/ssm-ssh-ec2.sh'
fail() { _ssm_refused=yes; }
tell() { :; }
one() {
  _ssm_refused='' _ssm_host='' _ssm_named=''
  scan "$@"
  [ -z "$_ssm_target" ] || { read_target && check_login; }
  printf '%s\\0' ${report}
}
`;
}

export function readByShell(lines: readonly Line[], shell: Shell = ['sh']): ShellReading[] {
  const words = runBatch(lines, scriptOfShell(), shell);
  return lines.map((_, at) => {
    const mine = words.slice(at * names.length, (at + 1) * names.length);
    return Object.fromEntries(names.map((name, index) => [name, mine[index] ?? ''])) as ShellReading;
  });
}

/** The settings of `ssh -G`, by their names; a name may have several values. undefined: ssh does not accept the line. */
export type SshReading = ReadonlyMap<string, readonly string[]> | undefined;

const scriptOfSsh = `
one() {
  _ssm_said=$(ssh -F none -G "$@" </dev/null 2>/dev/null)
  printf '%s\\0' "$? $_ssm_said"
}
`;

export function readBySsh(lines: readonly Line[]): SshReading[] {
  return runBatch(lines, scriptOfSsh, ['sh']).map((said) => {
    if (!said.startsWith('0 ') || !/^(0 )?user /m.test(said)) return undefined;
    const settings = new Map<string, string[]>();
    for (const line of said.slice(2).split('\n')) {
      const [name = ''] = line.split(' ', 1);
      settings.set(name, [...(settings.get(name) ?? []), line.slice(name.length + 1)]);
    }
    return settings;
  });
}

/** Runs `one ARGUMENT …` for each line; `one` ends each text with a NUL. */
function runBatch(lines: readonly Line[], script: string, [shell, ...options]: Shell): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'argv-'));
  try {
    const calls = lines.map((line) => ['one', ...line.map(quoted)].join(' '));
    const file = join(folder, 'batch');
    writeFileSync(file, `${script}${calls.join('\n')}\n`);
    // ssh -E FILE writes a file.
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, LC_ALL: 'C.UTF-8' };
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const said = execFileSync(shell, [...options, file], {
      cwd: folder,
      env,
      stdio: [...stdio],
      maxBuffer: 1e9,
    });
    return said.toString('utf8').split('\0').slice(0, -1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
