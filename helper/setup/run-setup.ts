/** What setup does: writes the configuration of git for this host or user, or removes it again. */
import type { setupOptions } from './options.ts';
import { join } from 'node:path';
import { helperOf } from '../../src/git/credential-settings.ts';
import { settingsIn, type Scope } from '../../src/git/listing.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { homeOfAccount, userId } from '../../src/process/account.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import type { Running } from '../command-line/command.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import { parseAccount } from '../command-line/account.ts';
import { parseAnyKey, parseDuration } from '../command-line/settings.ts';
import {
  changesBetween,
  isOurs,
  namesProgram,
  parseCredentialLine,
  settingsFor,
  withoutBelow,
  type Wanted,
} from './plan.ts';
import { parseWay } from '../proxy/way.ts';
import { sshConfigLines, type StatePlaces } from './lines.ts';
import { chainWarnings, overriddenWarnings } from './overridden.ts';
import { changesAsJson, changesAsText, describeChanges, type Report } from './report.ts';

export async function runSetup(line: Line<typeof setupOptions>, running: Running): Promise<number> {
  const { values } = line;
  const scope = scopeOf(line);
  if (values.remove) {
    checkAlone(line, scope);
    const { removeAndReport } = await import('./removal.ts');
    const { json, quiet, 'dry-run': dryRun } = values;
    await removeAndReport(scope, running, { json, quiet, dryRun });
    return 0;
  }
  const wanted = await wantedBy(line, running);
  const report = await reportOf(wanted, { scope, dryRun: values['dry-run'] }, running);
  const { dryRun } = report;
  if (!values.force) await checkSshCommand(report, running);
  if (!dryRun) {
    const { write } = await import('./changes.ts');
    await write(report, scope, running);
  }
  if (!values.quiet) running.err(`${describeChanges(report)}\n`);
  if (!dryRun && scope === 'system') {
    const { linkAndReport } = await import('./shell-files.ts');
    await linkAndReport(running, values);
  }
  if (!dryRun && !values.quiet) await warn(scope, wanted, running);
  running.out(values.json ? changesAsJson(report) : changesAsText(report));
  return 0;
}

/** Changes nothing. */
async function reportOf(
  wanted: Wanted,
  { scope, dryRun }: { readonly scope: Scope; readonly dryRun: boolean },
  running: Running,
): Promise<Report> {
  // Loaded here, because other commands do not need it.
  const [{ listSettings, readSettings }, { checkFile, unmarkedOf }] = await Promise.all([
    import('../../src/git/config-file.ts'),
    import('./changes.ts'),
  ]);
  // Before git reads the file: git would wait for a pipe.
  await checkFile(scope, running);
  const known = await readSettings(scope, running);
  const { entries } = scope === 'global' ? await listSettings('^ssm\\.', running) : { entries: [] };
  const below = settingsIn(entries.filter((entry) => entry.scope === 'system'));
  const settings = withoutBelow(settingsFor(wanted, known), below);
  const changes = changesBetween(known, settings);
  const kept = [...settings]
    .map(([name, value]) => ({ name, value }))
    .filter((one) => namesProgram(one) && !changes.some(({ name }) => name === one.name));
  const adopted = await unmarkedOf(kept, scope, running);
  const isOfSsh = wanted.keys.length > 0 || wanted.via !== undefined;
  const program = quoteForShell(join(running.installation, 'helper/ssm-ssh-agent'));
  const hosts = isOfSsh ? sshConfigLines(program, statePlaces(scope, running)) : '';
  return { changes, adopted, known, wanted, scope, dryRun, hosts };
}

/** @throws INPUT_INVALID if --remove is given together with options of writing */
function checkAlone({ values, words, behind }: Line<typeof setupOptions>, scope: Scope): void {
  const alone = ['system', 'global', 'remove', 'dry-run', 'json', 'quiet', 'verbose'];
  const given = Object.entries(values).flatMap(([name, value]) =>
    alone.includes(name) || !value || (Array.isArray(value) && value.length === 0) ? [] : [`--${name}`],
  );
  const more = [...given, ...words, ...(behind ?? [])];
  if (more.length === 0) return;
  throw invalid(
    `--remove takes out all that setup wrote, and does not go together with ${more.join(' ')}`,
    `leave that out; to take out the lines of one repository: git config --${scope} --edit`,
  );
}

/** Of what setup wrote: whether all who read it can use it, and for how long. */
async function warn(scope: Scope, { knownHosts, keys, sshCommand }: Wanted, running: Running): Promise<void> {
  const { installation, node } = running;
  const [{ fileOf }, { valuesInFiles }, { closedWarnings }, { shortLivedWarning }] = await Promise.all([
    import('../../src/git/config-places.ts'),
    import('../../src/git/config-file.ts'),
    import('./for-all-users.ts'),
    import('./short-lived.ts'),
  ]);
  const file = await fileOf(scope, running);
  const shortLived = shortLivedWarning(installation, node);
  const closed = scope === 'system' ? await closedWarnings({ file, installation, node, knownHosts }) : [];
  const overridden =
    keys.length > 0
      ? overriddenWarnings(
          await valuesInFiles('core.sshCommand', running),
          { file, value: sshCommand },
          scope,
        )
      : [];
  const chain = chainWarnings(await valuesInFiles('ssm.roleArn', running), file);
  for (const text of [...(shortLived === undefined ? [] : [shortLived]), ...overridden, ...chain, ...closed])
    running.err(`ssm-ssh-agent: warning: ${text.split('\n').map(visible).join('\n')}\n`);
}

function scopeOf({ values }: Line<typeof setupOptions>): Scope {
  if (values.system !== values.global) return values.system ? 'system' : 'global';
  throw invalid(
    values.system ? '--system and --global do not go together' : '--system or --global is missing',
    'write --system for every user of this host, or --global for this one',
  );
}

async function wantedBy(
  { values, words, behind = [] }: Line<typeof setupOptions>,
  running: Running,
): Promise<Wanted> {
  if (values.profile !== undefined) {
    const hint = 'set AWS_PROFILE where git runs, or write --role-arn';
    throw invalid("setup cannot write --profile: git's configuration has no such setting", hint);
  }
  const { via } = values;
  if (via !== undefined) parseWay(via, '--via');
  const { 'key-lifetime': keyLifetime, 'known-hosts': file } = values;
  if (keyLifetime !== undefined) parseDuration('--key-lifetime', keyLifetime);
  const { readKnownHosts } = await import('./known-hosts-file.ts');
  return {
    ...parseAccount(values),
    ...linesOf(values, [...words, ...behind]),
    ...{ via, keyLifetime, knownHosts: file === undefined ? undefined : await readKnownHosts(file) },
    sshCommand: quoteForShell(join(running.installation, 'helper/ssm-ssh')),
    helper: helperOf(join(running.installation, 'helper/git-credential-ssm')),
    node: running.node,
  };
}

type Values = Pick<
  Line<typeof setupOptions>['values'],
  'key' | 'credential' | 'passphrase' | 'via' | 'known-hosts'
>;

/** Repositories outside of --key and --credential belong to the only key or credential. */
function linesOf(
  { key, credential, passphrase, via, 'known-hosts': file }: Values,
  repositories: readonly string[],
): Pick<Wanted, 'keys' | 'credentials'> {
  const given = [...key, ...credential];
  if (given.length === 0 && ((via ?? file) === undefined || repositories.length > 0))
    throw invalid('setup has no key to write', 'write --key /NAME, or --credential /NAME HOST/OWNER');
  if (given.length > 1 && (repositories.length > 0 || passphrase !== undefined)) {
    const hint = "write '--key REF passphrase=REF REPOSITORY' for each";
    throw invalid('with several keys it is not clear whose repositories or passphrase these are', hint);
  }
  if (passphrase !== undefined && key.length === 0)
    throw invalid('a credential has no passphrase', 'leave --passphrase out');
  const more = [...(passphrase === undefined ? [] : [`passphrase=${passphrase}`]), ...repositories];
  return {
    keys: key.map((text) => parseAnyKey([text, ...more].join(' '), '--key')),
    credentials: credential.map((text) => parseCredentialLine([text, ...repositories].join(' '))),
  };
}

/**
 * Also one of a file that this scope includes, and of both files of a user: git takes the last one of all.
 *
 * @throws INPUT_INVALID where an ssh command that is not ours would be lost
 */
async function checkSshCommand({ changes, known, scope }: Report, running: Running): Promise<void> {
  const ours = changes.find(({ name }) => name === 'core.sshCommand')?.value;
  if (ours === undefined) return;
  const { valuesOfScope } = await import('../../src/git/config-file.ts');
  const { env, signal } = running;
  const last = (await valuesOfScope('core.sshCommand', { env, signal, scope })).at(-1);
  const own = known.get('core.sshcommand')?.at(-1);
  const theirs = [own, last?.value].find((value) => value !== undefined && !isOurs(value));
  if (theirs === undefined) return;
  const place = theirs === last?.value ? last.file : `git's ${scope} configuration`;
  throw invalid(
    `core.sshCommand of ${place} was not written by setup: ${theirs}`,
    `write --force to override it (--remove brings it back); or leave it, and set GIT_SSH_COMMAND=${ours} where ours is wanted`,
  );
}

/**
 * Where ssm-ssh's agent for pushed keys is: of the user who ran sudo, or of this user. Where root itself sets up all users, the
 * paths have `%i`, which ssh replaces with the id of each user.
 */
function statePlaces(scope: Scope, { env }: Running): StatePlaces {
  const uid = userId();
  const caller = uid === 0 ? env['SUDO_UID'] : undefined;
  const isForAll = scope === 'system' && uid === 0 && caller === undefined;
  const id = isForAll ? '%i' : String(Number(caller ?? uid));
  // ssh expands ~ to the home folder of the account, and not to HOME.
  const home =
    isForAll || caller !== undefined || env['HOME'] === homeOfAccount() ? '~' : (env['HOME'] ?? '~');
  return {
    runtime: `/run/user/${id}`,
    otherwise: join(home.replaceAll('%', '%%'), '.cache'),
    name: `ssm-ssh-agent-${id}`,
  };
}
