/** `doctor`: check each part of the way from AWS to git and ssh, and say how to fix what is wrong. */
import type { KeyLine } from '../../src/keys/key-line.ts';
import { command, type Running } from '../command-line/command.ts';
import type { Line } from '../command-line/parse.ts';
import { parseAccount } from '../command-line/account.ts';
import { parseAnyKey } from '../command-line/settings.ts';

const options = {
  url: {
    ...({ type: 'string', multiple: true, value: 'URL' } as const),
    help: 'a repository to read with git; may be given several times',
  },
  host: {
    ...({ type: 'string', multiple: true, value: 'HOST' } as const),
    help: 'an EC2 host, or USER@HOST; may be given several times',
  },
} as const;

export const doctor = command({
  name: 'doctor',
  summary: 'Check each part from AWS to git and ssh, and say how to fix it; it changes nothing',
  synopsis: '[REF …] [--url URL …] [--host HOST …] [OPTION …]',
  examples: [
    ['doctor', 'this machine, and every key that is configured'],
    ['doctor /ci/deploy-key --url git@github.com:acme/lib.git', 'a key, and a repository that it opens'],
    ['doctor --host ec2-user@i-0123456789abcdef0', 'an EC2 host'],
  ],
  options,
  run: runDoctor,
});

async function runDoctor(line: Line<typeof options>, running: Running): Promise<number> {
  const { values } = line;
  const subjects = {
    lines: keysOf(line),
    urls: values.url,
    hosts: values.host,
    account: parseAccount(values),
  };
  const { report } = await import('../doctor/report.ts');
  return await report(subjects, values, running);
}

/** @throws INPUT_INVALID */
function keysOf({ words, behind = [] }: Line<typeof options>): KeyLine[] {
  return [...words, ...behind].map((text) => parseAnyKey(text, `"${text.split(/\s/, 1)[0] ?? ''}"`));
}
