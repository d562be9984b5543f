/** Which key serves an SSH URL: one of the command line, or the one that `explain` names. */
import { candidatesOf, type OfferedKey } from '../../src/host/explain.ts';
import type { Compiled } from '../../src/host/compile.ts';
import type { StoredKeyLine } from '../../src/keys/key-line.ts';
import { patternText, type Remote } from '../../src/keys/routes.ts';
import { explainSsh, type SshQuestion } from '../explain/ssh.ts';
import type { Asking } from '../explain/surroundings.ts';
import { lineOf, originOf } from './wanted.ts';

export interface UrlRoute {
  /** A line as `exec --key` takes it. undefined: a key of this job, of which only the fingerprint is known. */
  readonly line: string | undefined;
  /** The reference of the key, or the fingerprint. */
  readonly name: string;
  readonly from: string;
  readonly place: { readonly region: string | undefined; readonly roles: readonly string[] };
}

export interface RouteOptions extends Asking {
  readonly lines: readonly StoredKeyLine[];
  readonly configuration: { readonly compiled: Compiled };
}

export interface Routed {
  /** Several if they have the same pattern. */
  readonly routes: readonly UrlRoute[];
  /** Why these, or why none. */
  readonly why: string;
}

/** @throws GIT_NOT_FOUND, INPUT_INVALID */
export async function routesFor(question: SshQuestion, options: RouteOptions): Promise<Routed> {
  const given = givenRoutes(question.remote, options);
  if (given.length > 0) return { routes: given, why: 'the command line names it' };
  const { keys, answer, why } = await explainSsh(question, options);
  return { routes: keys.map((key) => routeOf(key, options)), why: keys.length > 0 ? why : answer };
}

/** Keys of the command line are used as by exec: like those of a job, and without those of git's configuration. */
export function givenRoutes(
  remote: Remote,
  { lines, configuration, env }: Omit<RouteOptions, 'signal'>,
): UrlRoute[] {
  const { compiled } = configuration;
  const routes = lines.map(({ reference, repositories }, key) => ({
    ...{ key, repositories, fingerprint: reference.text },
  }));
  const { route, jobDefault } = candidatesOf({
    ...{ remote, compiled, env, uses: [{ folder: '', routes }], usesHostKeys: false },
    ...{ foreign: undefined, sourceOf: () => undefined },
  });
  return (route.length > 0 ? route : jobDefault).flatMap(({ of }) => {
    const line = typeof of === 'number' ? lines[of] : undefined;
    if (!line) return [];
    const { text: name } = line.reference;
    return [{ line: lineText(line), name, from: 'the command line', place: compiled.place }];
  });
}

/** @throws INPUT_INVALID */
export function routeOf(
  { of, fingerprint = '', source }: OfferedKey,
  options: Pick<RouteOptions, 'env' | 'configuration'>,
): UrlRoute {
  const { env, configuration } = options;
  if (typeof of !== 'object') {
    return { line: undefined, name: fingerprint, from: source.name, place: configuration.compiled.place };
  }
  // The line becomes an argument of exec: only the names of stored values may be in it.
  const line = lineText(lineOf(of));
  return { line, name: of.reference, from: originOf(of, env), place: of.place };
}

function lineText({ reference, passphrase, certificate, repositories }: StoredKeyLine): string {
  return [
    reference.text,
    ...(passphrase ? [`passphrase=${passphrase.text}`] : []),
    ...(certificate ? [`certificate=${certificate.text}`] : []),
    ...repositories.map(patternText),
  ].join(' ');
}
