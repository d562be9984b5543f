/** Runs the checks of doctor, and prints the findings. Importing this file loads the AWS SDK. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import type { KeyLine } from '../../src/keys/key-line.ts';
import type { Running } from '../command-line/command.ts';
import { voiceOf } from '../command-line/keys.ts';
import type { Common } from '../command-line/parse.ts';
import type { Account } from '../command-line/account.ts';
import { allChecks } from './checks.ts';
import type { Finding } from './finding.ts';
import { countOf, renderFindings } from './render.ts';
import { runChecks } from './run-checks.ts';

export interface Subjects {
  readonly lines: readonly KeyLine[];
  readonly urls: readonly string[];
  readonly hosts: readonly string[];
  readonly account: Account;
}

type Speech = Pick<Common, 'json' | 'quiet' | 'verbose'>;

/** @returns the exit code: 1 if a check failed */
export async function report(subjects: Subjects, speech: Speech, running: Running): Promise<number> {
  const { profile } = subjects.account;
  const env = profile === undefined ? running.env : { ...running.env, ...onlyProfile(profile) };
  const nodeVersion = process.versions.node;
  const asked = { ...running, ...subjects, env, nodeVersion, voice: voiceOf(speech, running) };
  const checks = await allChecks({ ...asked, version: versionOf(running) });
  const progress = isatty(2) && !speech.quiet ? progressLine(running) : () => undefined;
  const findings = await runChecks(checks, { signal: running.signal, progress });
  show(findings, speech, running);
  return findings.some(({ status }) => status === 'fail') ? 1 : 0;
}

/** A profile takes precedence over all access keys of the environment. */
function onlyProfile(AWS_PROFILE: string): Readonly<Record<string, string | undefined>> {
  return {
    AWS_PROFILE,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_SESSION_TOKEN: undefined,
  };
}

function show(
  findings: readonly Finding[],
  speech: Speech,
  { out, env }: Pick<Running, 'out' | 'env'>,
): void {
  if (speech.json) {
    out(`${JSON.stringify(findings, null, 2)}\n`);
    return;
  }
  const colour = isatty(1) && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const shown = speech.quiet ? findings.filter(({ status }) => ['warn', 'fail'].includes(status)) : findings;
  out(renderFindings(shown, { colour }));
  if (!speech.quiet) out(countOf(findings));
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
