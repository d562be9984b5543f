/** Whether the key of a git host is known, in the files that ssh reads. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stateFolders, userOf } from '../../src/host/state-folder.ts';
import { patternText, type Remote } from '../../src/keys/routes.ts';
import { run } from '../../src/process/run.ts';
import { hostKeyFailure } from '../../src/ssh/host-key-refusal.ts';
import { hostKeysFor } from '../../src/ssh/host-keys.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { fail, failed, ok, warn, type Finding } from './finding.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface HostKeyCheck {
  readonly check: string;
  readonly remote: Remote;
  readonly env: Environment;
  /** ssm.knownHosts; empty: none. */
  readonly file: string;
  readonly strict: string;
  readonly signal: AbortSignal;
}

export async function checkHostKey(options: HostKeyCheck): Promise<Finding> {
  const { check, remote, file, strict, env } = options;
  const name = (await nameInFiles(options)) ?? knownName(remote);
  const readable = file === '' ? '' : await readFile(file, 'utf8').catch(() => undefined);
  if (readable === undefined) {
    const remedy = `make it: ssh-keyscan HOST >>${file}, or git config --global --unset ssm.knownHosts`;
    return fail(check, `KNOWN_HOSTS_INVALID: ssm.knownHosts names ${file}, which cannot be read`, remedy);
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

/** All known keys: the pinned ones, those of the settings, those that ssm-ssh has seen, and those of ssh itself. */
export async function knownHosts(ofSettings: string, env: Environment): Promise<string> {
  const home = env['HOME'] ?? '';
  const files = [
    ...stateFolders(userOf(env)).map((folder) => join(folder, 'known_hosts')),
    ...['known_hosts', 'known_hosts2'].map((file) => join(home, '.ssh', file)),
    '/etc/ssh/ssh_known_hosts',
  ];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return [renderKnownHosts(ofSettings), ...texts].join('\n');
}

/** What ~/.ssh/config says: the name, the port or an alias may be others. It connects to nothing (ssh(1), -G). */
async function nameInFiles({ remote, env, signal }: HostKeyCheck): Promise<string | undefined> {
  const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const port = remote.port === undefined ? [] : ['-p', String(remote.port)];
  const argv = ['ssh', '-G', ...port, '--', remote.host] as const;
  const { exitCode, stdout } = await run(argv, { env: Object.fromEntries(known), signal });
  if (exitCode !== 0) return undefined;
  const value = (name: string): string | undefined => new RegExp(`^${name} (.+)$`, 'm').exec(stdout)?.[1];
  const host = value('hostkeyalias') ?? value('hostname') ?? remote.host;
  const number = Number(value('port') ?? 22);
  return number === 22 || value('hostkeyalias') ? host : `[${host}]:${number}`;
}

/** As known_hosts has it. */
function knownName({ host, port = 22 }: Remote): string {
  return port === 22 ? host : `[${patternText({ host, path: '' }).replace(/^\[|\]$/g, '')}]:${port}`;
}
