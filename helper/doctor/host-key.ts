/** Whether the key of a git host is known, in the files that ssh reads. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stateFolders, userOf } from '../../src/host/state-folder.ts';
import type { Remote } from '../../src/keys/routes.ts';
import { homeOfAccount } from '../../src/process/account.ts';
import { definedIn } from '../../src/process/environment.ts';
import { ProgramNotFound } from '../../src/process/program-not-found.ts';
import { run } from '../../src/process/run.ts';
import { hostKeyFailure } from '../../src/ssh/host-key-refusal.ts';
import { hostKeysFor } from '../../src/ssh/host-keys.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { hostName } from '../../src/ssh/repository-hosts.ts';
import { knownHostsOf } from '../command-line/known-hosts-of.ts';
import { findJobUses } from '../explain/job-uses.ts';
import { fail, failed, ok, warn, type Finding } from './finding.ts';
import { placeOfSetting, unsetSetting, type PlacedSetting } from './setting-remedy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface HostKeyCheck {
  readonly check: string;
  readonly remote: Remote;
  readonly env: Environment;
  /** ssm.knownHosts; empty: none. */
  readonly file: string;
  readonly entries: readonly PlacedSetting[];
  readonly strict: string;
  readonly signal: AbortSignal;
}

export async function checkHostKey(options: HostKeyCheck): Promise<Finding> {
  const { check, remote, file, strict, env } = options;
  const name = (await nameInFiles(options)) ?? hostName(remote);
  const readable = await readHostKeys(file);
  if (readable === undefined) {
    const { from, remedy } = withoutFile(options);
    return fail(check, `KNOWN_HOSTS_INVALID: ${from} names ${file}, which cannot be read`, remedy);
  }
  try {
    renderKnownHosts(readable);
  } catch (error) {
    return failed(check, error);
  }
  const count = hostKeysFor(name, await knownHosts(readable, env)).length;
  if (count > 0) return ok(check, `${name} has ${count === 1 ? '1 known key' : `${count} known keys`}`);
  const { message, hint } = hostKeyFailure({ host: name }, { kind: 'host', file, own: '/' });
  if (strict === 'accept-new') return warn(check, `${message}: ssh accepts the first one that it sees`, hint);
  if (strict === 'no') return warn(check, `${message}: ssh accepts any`, hint);
  return fail(check, `KNOWN_HOSTS_INVALID: ${message}`, hint);
}

/**
 * The text of ssm.knownHosts; empty for none, undefined if it cannot be read. As for ssh, `~/` is the home folder of the
 * account (ssh_config(5), UserKnownHostsFile).
 */
export async function readHostKeys(file: string): Promise<string | undefined> {
  if (file === '') return '';
  const path = file.startsWith('~/') ? join(homeOfAccount() ?? '/', file.slice(2)) : file;
  return await readFile(path, 'utf8').catch(() => undefined);
}

/** Where the file is named, and how to go on without it. */
function withoutFile({ entries, env }: HostKeyCheck): { readonly from: string; readonly remedy: string } {
  const setting = entries.findLast(({ name }) => name === 'ssm.knownhosts');
  if (env['SSM_SSH_KNOWN_HOSTS'] || !setting)
    return { from: 'SSM_SSH_KNOWN_HOSTS', remedy: 'unset SSM_SSH_KNOWN_HOSTS' };
  return { from: `ssm.knownHosts (${placeOfSetting(setting)})`, remedy: unsetSetting(setting, env) };
}

/** All known keys: the pinned ones, those of the settings, of the job or exec around this, those that ssm-ssh has seen, and those of ssh itself. */
export async function knownHosts(ofSettings: string, env: Environment): Promise<string> {
  const { uses } = await findJobUses(env);
  const files = [
    ...uses.map(({ folder }) => join(folder, 'known_hosts')),
    ...stateFolders(userOf(env)).map((folder) => join(folder, 'known_hosts')),
    ...knownHostsOf(env),
  ];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return [renderKnownHosts(ofSettings), ...texts].join('\n');
}

/** What ~/.ssh/config says: the name, the port or an alias may be others. It connects to nothing (ssh(1), -G). */
async function nameInFiles({ remote, env, signal }: HostKeyCheck): Promise<string | undefined> {
  const port = remote.port === undefined ? [] : ['-p', String(remote.port)];
  const argv = ['ssh', '-G', ...port, '--', remote.host] as const;
  const finished = await run(argv, { env: definedIn(env), signal }).catch((error: unknown) => {
    // Another check reports that there is no ssh.
    if (!(error instanceof ProgramNotFound)) throw error;
    return undefined;
  });
  if (finished?.exitCode !== 0) return undefined;
  const { stdout } = finished;
  const value = (name: string): string | undefined => new RegExp(`^${name} (.+)$`, 'm').exec(stdout)?.[1];
  const host = value('hostkeyalias') ?? value('hostname') ?? remote.host;
  const number = Number(value('port') ?? 22);
  return value('hostkeyalias') ? host : hostName({ host, port: number });
}
