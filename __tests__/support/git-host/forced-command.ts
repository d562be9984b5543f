/** The program that both servers run for a session: github.sh with its paths. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Places {
  readonly folder: string;
  readonly repositories: string;
  readonly journal: string;
}

/** Writes the program into `folder` and returns its path. Its arguments are a grant file and a fingerprint. */
export function writeForcedCommand({ folder, repositories, journal }: Places): string {
  const program = join(folder, 'github');
  // sshd has its own PATH, which may lack the git of the tests.
  const git = execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const script = readFileSync(join(import.meta.dirname, 'github.sh'), 'utf8');
  const settings = { git, folder, repositories, journal };
  const assignments = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(program, `#!/bin/sh\n${assignments.join('')}${script}`, { mode: 0o700 });
  return program;
}
