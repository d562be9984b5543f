/** An environment in which every variable that ssm-ssh and its parts assign to is the caller's. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const helper = join(dirname(dirname(import.meta.dirname)), 'helper');
const parts = [
  'ssm-ssh',
  'ssm-ssh-job.sh',
  'ssm-ssh-host.sh',
  'ssm-ssh-state.sh',
  'ssm-ssh-ec2.sh',
  'ssm-ssh-fetch.sh',
  'find-node.sh',
];

const text = parts
  .map((name) => readFileSync(join(helper, name), 'utf8'))
  .join('\n')
  .replaceAll(/^ *#.*$/gm, '');
const assigned = [
  ...[...text.matchAll(/(?<![\w$.-])([a-z][a-z_]*)=(?!=)/g)].map(([, name = '']) => name),
  ...[...text.matchAll(/\bfor ([a-z][a-z_]*) in/g)].map(([, name = '']) => name),
  ...[...text.matchAll(/\bread -r((?: [a-z_]+)+)/g)].flatMap(([, names = '']) => names.trim().split(' ')),
].filter((name) => name !== '_');

export const callersVariables: Readonly<Record<string, string>> = Object.fromEntries(
  [...new Set(assigned)].sort().map((name) => [name, `the caller's "${name}"`]),
);

/** Of what env(1) printed. */
export function readVariables(printed: string): Record<string, string> {
  const lines = printed
    .split('\n')
    .map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]);
  return Object.fromEntries(lines.filter(([name = '']) => name in callersVariables)) as Record<
    string,
    string
  >;
}
