/** The folder that main writes for helper/ssm-ssh, without an agent, for tests of the choice of keys. */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseLines } from '../../src/keys/key-line.ts';
import { renderRoutes } from '../../src/keys/routes.ts';

const source = join(dirname(dirname(import.meta.dirname)), 'helper');

export interface FolderOptions {
  /** The repositories of each key; empty for a default key. */
  readonly keys?: readonly string[];
  /** The name of an earlier use's folder. */
  readonly before?: string;
}

/** Returns the path of the program. */
export function makeJobFolder(path: string, { keys = [], before = '' }: FolderOptions = {}): string {
  const lines = parseLines(
    keys.map((repositories, number) => `/key-${String(number)} ${repositories}`).join('\n'),
  ).keys;
  const routed = lines.map(({ repositories }, number) => ({
    fingerprint: `SHA256:${String(number)}`,
    repositories,
  }));
  mkdirSync(join(path, 'bin'), { recursive: true });
  writeFileSync(join(path, 'strict'), 'accept-new\n');
  writeFileSync(join(path, 'routes'), renderRoutes(routed));
  writeFileSync(join(path, 'before'), `${before}\n`);
  writeFileSync(join(path, 'agent-before'), 'none\n');
  const program = join(path, 'bin/ssm-ssh');
  for (const name of ['ssm-ssh', 'ssm-ssh-job.sh']) copyFileSync(join(source, name), join(path, 'bin', name));
  chmodSync(program, 0o700);
  return program;
}
