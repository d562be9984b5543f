/** What setup prints of its changes. Pure. */
import { writing, type Scope, type Setting, type Settings } from '../../src/git/listing.ts';
import { withoutSecrets } from '../../src/keys/secret-text.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { environmentLines } from './lines.ts';
import { valuesOf, type Wanted } from './plan.ts';

export interface Report {
  readonly changes: readonly Setting[];
  /** Lines that only get a mark. */
  readonly adopted: readonly Setting[];
  /** Of git's configuration, before. */
  readonly known: Settings;
  readonly wanted: Wanted;
  readonly scope: Scope;
  readonly dryRun: boolean;
  /** The lines of ssh's configuration. */
  readonly hosts: string;
}

/** For standard error. */
export function describeChanges({ changes, adopted, known, scope, dryRun }: Report): string {
  const where = `git's ${scope} configuration`;
  if (changes.length + adopted.length === 0) return `ssm-ssh-agent: nothing to change in ${where}`;
  const lines = changes.map(({ name, value }) => {
    const before = valuesOf(known, name).at(-1);
    const was = before === undefined ? '' : ` (was ${withoutSecrets(before)})`;
    return visible(`  ${name} ${value === undefined ? 'removed' : `= ${value}`}${was}`);
  });
  const marks = adopted.map(({ name, value = '' }) =>
    visible(`  ${name} = ${value} (it was there, and gets a mark: --remove removes it)`),
  );
  // git says no more than "cannot run", and no program of ours is left that could.
  const hint = `hint: before you uninstall: ssm-ssh-agent setup --${scope} --remove; else git has an ssh command that is gone`;
  return [
    `ssm-ssh-agent: ${dryRun ? 'would be written' : 'written'} to ${where}:`,
    ...lines,
    ...marks,
    ...(dryRun ? [] : [hint]),
  ].join('\n');
}

export function changesAsJson({ changes, adopted, scope, wanted, hosts }: Report): string {
  const shown = [...changes, ...adopted].map(({ name, value = null }) => ({ name, value }));
  const all = { scope, changes: shown, gitSshCommand: wanted.sshCommand, sshConfig: hosts };
  return `${JSON.stringify(all, null, 2)}\n`;
}

/** For standard output. */
export function changesAsText({ changes, known, wanted, scope, dryRun, hosts }: Report): string {
  const lines = [...(wanted.keys.length > 0 ? [environmentLines(wanted.sshCommand)] : []), hosts].join('\n');
  if (!dryRun) return lines;
  const commands = changes.map((change) =>
    ['git', 'config', ...writing(change, scope)].map(quoteForShell).join(' '),
  );
  const replaces = changes.some(({ name }) => valuesOf(known, name).length > 0);
  const note =
    '# These commands replace the values that are there. setup keeps those of others, for --remove.';
  return [...(replaces ? [note] : []), ...commands, '', lines].join('\n');
}
