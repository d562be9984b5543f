/** Which key serves a URL, from the command line or from the settings of this host. Pure. */
import type { Compiled } from '../../src/host/compile.ts';
import type { KeyLine } from '../../src/keys/key-line.ts';
import { matchRoutes, parseWrittenPattern, patternText, type Remote } from '../../src/keys/routes.ts';
import { originOf } from './wanted.ts';

export interface UrlRoute {
  /** A line as `exec --key` takes it. */
  readonly line: string;
  /** The reference of the key. */
  readonly reference: string;
  readonly from: string;
  readonly place: { readonly region: string | undefined; readonly roles: readonly string[] };
}

export interface RouteOptions {
  readonly lines: readonly KeyLine[];
  readonly compiled: Compiled;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const sshPort = 22;

/** @throws INPUT_INVALID */
export function remoteOf(url: string): Remote {
  return parseWrittenPattern(url);
}

export function isHttps(url: string): boolean {
  return /^https?:\/\//i.test(url);
}

/** The key that is offered: a line of the command line first. Several if they have the same pattern. */
export function routesFor(remote: Remote, { lines, compiled, env }: RouteOptions): UrlRoute[] {
  const given = lines.map((line) => ({
    key: {
      line: lineText(line),
      reference: line.reference.text,
      from: 'the command line',
      place: compiled.place,
    },
    repositories: line.repositories,
  }));
  const configured = compiled.keys.map((key) => {
    const { reference, passphrase, certificate, pattern, place } = key;
    const options = [passphrase && `passphrase=${passphrase}`, certificate && `certificate=${certificate}`];
    const words = [reference, ...options, pattern && patternText(pattern)].filter(Boolean);
    return {
      key: { line: words.join(' '), reference, from: originOf(key, env), place },
      repositories: pattern ? [pattern] : [],
    };
  });
  const ofLine = matchRoutes(given, remote, sshPort);
  return ofLine.length > 0 ? ofLine : matchRoutes(configured, remote, sshPort);
}

function lineText({ reference, passphrase, certificate, repositories }: KeyLine): string {
  return [
    reference.text,
    ...(passphrase ? [`passphrase=${passphrase.text}`] : []),
    ...(certificate ? [`certificate=${certificate.text}`] : []),
    ...repositories.map(patternText),
  ].join(' ');
}
