/** ssh commands of git that are not ours: whose they are, and whether they bring a key. helper/ssm-ssh has the same rules. Pure. */
import { withoutEnds } from '../keys/ends.ts';
import { lowerCase, parseWrittenPattern, type Remote } from '../keys/routes.ts';
import { decoded } from '../keys/url-text.ts';

/**
 * Whether a command starts ssm-ssh, of whatever installation, by the rule of helper/ssm-ssh: its program is not ssh, and
 * the last segment of a word is exactly ssm-ssh. Folders and keys may have such letters in their names, too.
 */
export function isOurs(command: string): boolean {
  return !/(^|\/)ssh['"]?$/.test(programOf(command)) && /(^|[\s/'"(`])ssm-ssh(['"\s)`;&|]|$)/.test(command);
}

/** The first word, in whatever quotes, behind variables, `exec` and `env`. */
export function programOf(command: string): string {
  const words = command.split(/[ \t\n]+/).filter((word) => word !== '');
  return words.find((word) => !/^([A-Za-z_].*=.*|exec|(.*\/)?env)$/s.test(word)) ?? words.at(-1) ?? '';
}

/** Whether GIT_SSH starts ssm-ssh. It is the path of a program. */
export function isOurProgram(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith('ssm-ssh');
}

/**
 * Whether the command, or a line of its script, names a key, an agent or a configuration file. Options without a value may
 * stand in front of -i, -I and -F, in the same word.
 */
function namesKey(command: string): boolean {
  const start = command.indexOf('ssh');
  const behind = start < 0 ? '' : command.slice(start);
  return /\s-[46ACTaqtvx]{0,2}[iIF]/.test(behind) || /identity[af]/i.test(command);
}

/** @param script the text of the program that the command starts; undefined: it is no script */
export function bringsKey(command: string, script: string | undefined): boolean {
  if (namesKey(`ssh ${command}`)) return true;
  if (script?.startsWith('#!') !== true) return false;
  const [, ...lines] = script.split('\n');
  return lines.some((line) => namesKey(line.replace(/#.*$/s, '')));
}

export interface RemoteUrl extends Remote {
  readonly user?: string;
}

/**
 * The destination of a URL as git reads it (git-clone(1), "GIT URLS").
 *
 * @returns undefined if git starts no ssh for it
 */
export function remoteOfUrl(url: string): RemoteUrl | undefined {
  const [, , login, address = '', path = ''] =
    /^(ssh|git\+ssh|ssh\+git):\/\/(?:([^/@]*)@)?([^/]*)(.*)$/s.exec(url) ?? [];
  if (address !== '') return withUser(addressOf(decoded(address)), decoded(path), login && decoded(login));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return undefined;
  const [, user, bracketed, plain, rest = ''] =
    /^(?:([^/:@]*)@)?(?:\[([^\]/]+)\]|([^/:[\]]+)):(.*)$/s.exec(url) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return undefined;
  return withUser(bracketed === undefined ? { host } : addressOf(bracketed), rest, user);
}

/** HOST, HOST:PORT, [IPv6], [IPv6]:PORT or IPv6. */
function addressOf(text: string): { readonly host: string; readonly port?: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? text;
  return port === undefined ? { host } : { host, port: Number(port) };
}

function withUser(
  address: { readonly host: string; readonly port?: number },
  path: string,
  user: string | undefined,
): RemoteUrl {
  return { ...address, path: path.replace(/^\/+/, ''), ...(user && { user }) };
}

/** Whether a repository has a remote for the destination. @param urls of its remotes */
export function isRemoteOf(urls: readonly string[], target: Remote): boolean {
  return urls.some((url) => {
    const remote = remoteOfUrl(url);
    return remote !== undefined && keyOf(remote) === keyOf(target);
  });
}

function keyOf({ host, port = 22, path }: Remote): string {
  const repository = withoutEnds(lowerCase(path), '/').replace(/\.git$/, '');
  return `${lowerCase(host)}:${String(port)}/${repository}`;
}

/** `github.com/acme/lib`, as a section names it. undefined for any other text. */
export function remoteOfPattern(text: string): RemoteUrl | undefined {
  if (!text.includes('/') || /^[/.]|:\/\//.test(text)) return undefined;
  try {
    const { host, port, path } = parseWrittenPattern(text);
    return host.includes('*') ? undefined : { host, path, ...(port !== undefined && { port }) };
  } catch {
    return undefined;
  }
}
