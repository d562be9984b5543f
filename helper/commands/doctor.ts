/** `doctor`: check each part of the way from AWS to git and ssh, and say how to fix what is wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import type { KeyLine } from '../../src/keys/key-line.ts';
import { command, type Running } from '../command-line/command.ts';
import { voiceOf } from '../command-line/keys.ts';
import type { Line } from '../command-line/parse.ts';
import { parseAccount, parseKey } from '../command-line/settings.ts';
import type { Finding } from '../doctor/finding.ts';
import { countOf, renderFindings } from '../doctor/render.ts';
import { runChecks } from '../doctor/run-checks.ts';

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
  const lines = keysOf(line);
  const account = parseAccount(values);
  const { allChecks } = await import('../doctor/checks.ts');
  const { profile } = account;
  const given = running.env;
  const env =
    profile === undefined ? given : { ...given, AWS_PROFILE: profile, AWS_ACCESS_KEY_ID: undefined };
  const nodeVersion = process.versions.node;
  const voice = voiceOf(values, running);
  const asked = { ...running, env, lines, account, nodeVersion, voice };
  const checks = await allChecks({
    ...{ ...asked, urls: values.url, hosts: values.host, version: versionOf(running) },
  });
  const progress = isatty(2) && !values.quiet ? progressLine(running) : () => undefined;
  const findings = await runChecks(checks, { signal: running.signal, progress });
  show(findings, line, running);
  return findings.some(({ status }) => status === 'fail') ? 1 : 0;
}

/** @throws INPUT_INVALID */
function keysOf({ words, behind = [] }: Line<typeof options>): KeyLine[] {
  return [...words, ...behind].map((text) => parseKey(text, `"${text.split(/\s/, 1)[0] ?? ''}"`));
}

function show(
  findings: readonly Finding[],
  { values }: Line<typeof options>,
  { out, env }: Pick<Running, 'out' | 'env'>,
): void {
  if (values.json) {
    out(`${JSON.stringify(findings, null, 2)}\n`);
    return;
  }
  const colour = isatty(1) && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const shown = values.quiet ? findings.filter(({ status }) => ['warn', 'fail'].includes(status)) : findings;
  out(renderFindings(shown, { colour }));
  if (!values.quiet) out(countOf(findings));
}

/** One line that is written again and again, and removed at the end. */
function progressLine({ err }: Pick<Running, 'err'>): (done: number, all: number) => void {
  return (done, all) => {
    err(done === all ? '\r\u001b[K' : `\rssm-ssh-agent: ${done} of ${all} checks are done\u001b[K`);
  };
}

function versionOf({ installation }: Pick<Running, 'installation'>): string {
  const text = readFileSync(join(installation, 'package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
