/**
 * An environment that sets every variable which ssm-ssh, its parts and the launchers assign, or assigned in earlier
 * versions.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const helper = join(dirname(dirname(import.meta.dirname)), 'helper');
const parts = [
  'ssm-ssh',
  'ssm-ssh-job.sh',
  'ssm-ssh-host.sh',
  'ssm-ssh-ec2.sh',
  'ssm-ssh-ask.sh',
  'find-node.sh',
  'launch.sh',
  'ssm-ssh-agent',
  'git-credential-ssm',
  'ssm-ssh-sign',
];
const onceAssigned = [
  ...[
    'after',
    'arguments',
    'command',
    'helper',
    'home',
    'host',
    'installation',
    'job',
    'jobs',
    'key',
    'keys',
    'left',
  ],
  ...[
    'letter',
    'limit',
    'name',
    'node',
    'number',
    'operation',
    'options',
    'own',
    'path',
    'pattern',
    'place',
    'port',
  ],
  ...[
    'prefix',
    'program',
    'region',
    'repository',
    'rest',
    'self',
    'socket',
    'state',
    'status',
    'target',
    'text',
  ],
  ...['timeout', 'url', 'value', 'word'],
];

const text = parts
  .map((name) => readFileSync(join(helper, name), 'utf8'))
  .join('\n')
  .replaceAll(/^ *#.*$/gm, '');
const assigned = [
  ...onceAssigned,
  ...[...text.matchAll(/(?<![\w$.-])([a-z][a-z_]*)=(?!=)/g)].map(([, name = '']) => name),
  ...[...text.matchAll(/\bfor ([a-z][a-z_]*) in/g)].map(([, name = '']) => name),
  ...[...text.matchAll(/\bread -r((?: [a-z_]+)+)/g)].flatMap(([, names = '']) => names.trim().split(' ')),
].filter((name) => !name.startsWith('_'));

export const callersVariables: Readonly<Record<string, string>> = Object.fromEntries(
  [...new Set(assigned)].sort().map((name) => [name, `the caller's "${name}"`]),
);

/** Parses the output of env(1). */
export function readVariables(printed: string): Record<string, string> {
  const lines = printed
    .split('\n')
    .map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]);
  return Object.fromEntries(lines.filter(([name = '']) => name in callersVariables)) as Record<
    string,
    string
  >;
}
