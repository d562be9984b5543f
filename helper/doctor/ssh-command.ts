/** Which ssh command git runs, and which program of a credential helper. Pure. */
import type { Settings } from '../../src/git/listing.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface SshCommand {
  /** The variable or setting that wins; `ssh` if there is none. */
  readonly from: 'GIT_SSH_COMMAND' | 'core.sshCommand' | 'GIT_SSH' | 'ssh';
  readonly command: string;
}

/** @source git(1), GIT_SSH and GIT_SSH_COMMAND; git-config(1), core.sshCommand */
export function sshCommandOf(all: Settings, env: Environment): SshCommand {
  const command = env['GIT_SSH_COMMAND'];
  if (command) return { from: 'GIT_SSH_COMMAND', command };
  const configured = all.get('core.sshcommand')?.at(-1);
  if (configured) return { from: 'core.sshCommand', command: configured };
  const program = env['GIT_SSH'];
  return program ? { from: 'GIT_SSH', command: program } : { from: 'ssh', command: 'ssh' };
}

/** Whether the command is ssm-ssh, of whatever installation, perhaps with options of ssh behind it. */
export function isOurCommand(command: string): boolean {
  return /(^|[\s/'"])ssm-ssh(['"]|\s|$)/.test(command);
}

export function isOurHelper(helper: string): boolean {
  return /(^|[\s/'"])git-credential-ssm(['"]|\s|$)/.test(helper) || /^ssm(\s|$)/.test(helper);
}

/**
 * The credential helpers that git asks for a host, in order.
 *
 * @param place `github.com` or `git.example.com:8443`
 * @source gitcredentials(7), "CONFIGURATION OPTIONS": an empty value clears the list
 */
export function helpersFor(
  place: string,
  entries: readonly { readonly name: string; readonly value: string | undefined }[],
): string[] {
  return entries.reduce<string[]>((helpers, { name, value = '' }) => {
    if (!isFor(place, name, 'helper')) return helpers;
    return value === '' ? [] : [...helpers, value];
  }, []);
}

/** Whether git sends the path of a repository on this host to helpers. */
export function sendsPath(
  place: string,
  entries: readonly { readonly name: string; readonly value: string | undefined }[],
): boolean {
  const values = entries.flatMap(({ name, value }) =>
    isFor(place, name, 'usehttppath') ? [value ?? 'true'] : [],
  );
  return /^(true|yes|on|[1-9]\d*)$/i.test(values.at(-1) ?? '');
}

/** Whether the name is that of the variable, for every host or for this one. */
function isFor(place: string, name: string, variable: string): boolean {
  if (name === `credential.${variable}`) return true;
  if (!name.startsWith('credential.') || !name.endsWith(`.${variable}`)) return false;
  return coversHost(name.slice('credential.'.length, -variable.length - 1), place);
}

/** Whether `credential.SCOPE` is for every repository of the host. */
function coversHost(scope: string, place: string): boolean {
  if (!URL.canParse(scope)) return false;
  const { protocol, host, pathname } = new URL(scope);
  if (protocol !== 'https:' || pathname.replace(/\/$/, '') !== '') return false;
  const wanted = place.toLowerCase().replace(/:443$/, '');
  // git's * matches one label.
  return host === wanted || (host.startsWith('*.') && wanted.split('.').slice(1).join('.') === host.slice(2));
}
