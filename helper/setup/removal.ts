/** `setup --remove`: takes out what setup wrote, and says what is left. */
import { readSettings } from '../../src/git/config-file.ts';
import type { Scope } from '../../src/git/listing.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { quoted } from '../../src/process/quote.ts';
import type { Running } from '../command-line/command.ts';
import { remove } from './changes.ts';
import { removedLines } from './lines.ts';
import { isOurs } from './plan.ts';
import { unlinkAndReport } from './shell-files.ts';

export interface RemovalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly dryRun: boolean;
}

/** @throws GIT_NOT_FOUND, INPUT_INVALID */
export async function removeAndReport(
  scope: Scope,
  running: Running,
  { json, quiet, dryRun }: RemovalOptions,
): Promise<void> {
  const removed = await remove(scope, { env: running.env, signal: running.signal, dryRun });
  if (json) running.out(`${JSON.stringify({ scope, removed }, null, 2)}\n`);
  if (!quiet) running.err(removedLines(removed, { scope, dryRun }));
  if (scope === 'system') await unlinkAndReport(running, { quiet, dryRun });
  if (!quiet && !dryRun) await warnOfLeft(scope, running);
}

/** A line without a mark was not written by setup: people have to remove it before they uninstall. */
async function warnOfLeft(scope: Scope, running: Running): Promise<void> {
  const left = (await readSettings(scope, running)).get('core.sshcommand')?.at(-1);
  if (left === undefined || !isOurs(left)) return;
  // Not the other values of the name: the pattern is an extended regular expression.
  const pattern = quoted(`^${left.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
  const command = `git config --${scope} --unset-all core.sshCommand ${pattern}`;
  running.err(`ssm-ssh-agent: warning: ${visible(left)} is still core.sshCommand: setup did not write that line
hint: ${visible(scope === 'system' ? `sudo ${command}` : command)}\n`);
}
