/** Which key serves an SSH URL: one of the command line, or the one that `explain` names. */
import { candidatesOf, type OfferedKey } from '../../src/host/explain.ts';
import type { Compiled } from '../../src/host/compile.ts';
import { hostLine } from '../../src/host/host-line.ts';
import type { KeyLine, SigningKeyLine } from '../../src/keys/key-line.ts';
import { keyLineText } from '../../src/keys/key-line-text.ts';
import type { Remote } from '../../src/keys/routes.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { refusalFor, signingLineOf } from '../explain/signing.ts';
import { explainSsh, type SshQuestion } from '../explain/ssh.ts';
import type { Asking } from '../explain/surroundings.ts';
import { ofCommandLine, originOf, type Place } from './wanted.ts';

export interface UrlRoute {
  /** A line as `exec --key` takes it. undefined: a key of this job, of which only the fingerprint is known. */
  readonly line: string | undefined;
  /** The reference of the key, or the fingerprint. */
  readonly name: string;
  readonly from: string;
  readonly place: Place;
  /** What to do if the host does not know the key. undefined: what is usual for a stored key. */
  readonly unknown?: string | undefined;
  /** What to do if our agent signs for other hosts only. undefined: the hint of the agent says it. */
  readonly refused?: string | undefined;
}

export interface RouteOptions extends Asking {
  /** Our ssm-ssh-agent, as a word of sh. */
  readonly agent: string;
  readonly lines: readonly KeyLine[];
  readonly configuration: { readonly compiled: Compiled };
}

export interface Routed {
  /** Several if they have the same pattern. */
  readonly routes: readonly UrlRoute[];
  /** Why these, or why none. */
  readonly why: string;
  /** Whether git or ssm-ssh starts the ssh command of somebody else. */
  readonly isForeign: boolean;
}

/** @throws GIT_NOT_FOUND, INPUT_INVALID */
export async function routesFor(question: SshQuestion, options: RouteOptions): Promise<Routed> {
  const given = givenRoutes(question.remote, options);
  if (given.length > 0) return { routes: given, why: 'the command line names it', isForeign: false };
  const { keys, answer, why, isForeign = false } = await explainSsh(question, options);
  const routes = keys.map((key) => {
    const line = signingLineOf(key);
    const route = routeOf(key, options);
    return line && route.line !== undefined
      ? { ...route, refused: nameHost(line, question.remote, options) }
      : route;
  });
  return { routes, why: keys.length > 0 ? why : answer, isForeign };
}

/** Keys of the command line are used as by exec: like those of a job, and without those of git's configuration. */
export function givenRoutes(
  remote: Remote,
  { lines, configuration, env, agent }: Omit<RouteOptions, 'signal'>,
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
    const unknown = registration(line, agent);
    return [{ line: keyLineText(line), name, from: ofCommandLine, place: compiled.place, unknown }];
  });
}

/** @throws INPUT_INVALID */
export function routeOf(
  { of, line: signing, reference, fingerprint = '', source }: OfferedKey,
  { env, configuration, agent }: Pick<RouteOptions, 'env' | 'configuration' | 'agent'>,
): UrlRoute {
  if (typeof of !== 'object') {
    const { place } = configuration.compiled;
    const unknown = signing && registration(signing, agent);
    return { line: undefined, name: reference ?? fingerprint, from: source.name, place, unknown };
  }
  // The line becomes an argument of exec: only names of stored values may be in it, and no such value.
  const line = hostLine(of);
  const unknown = registration(line, agent);
  return {
    ...{ line: keyLineText(line), name: of.reference, from: originOf(of, env), place: of.place },
    unknown,
  };
}

/** For a default key that is not for this host: a section with all its options. */
function nameHost(
  line: SigningKeyLine,
  remote: Remote,
  { agent }: Pick<RouteOptions, 'agent'>,
): string | undefined {
  if (refusalFor(line, remote) === undefined) return undefined;
  const { host, port } = remote;
  const repositories = [{ host, path: '', ...(port !== undefined && { port }) }];
  return `${agent} setup --global --key ${quoteForShell(keyLineText({ ...line, repositories }))}`;
}

/** Of a key that our agent signs with: what the host has to know. */
function registration({ reference, signing }: KeyLine, agent: string): string | undefined {
  if (!signing) return undefined;
  const { certificate } = signing;
  if (!certificate)
    return `register the public key at the host (on GitHub: Settings, Deploy keys): ${agent} public ${reference.text} prints it`;
  const { authority, principals } = certificate;
  return `let the host trust the authority (TrustedUserCAKeys), which ${agent} public ${authority.text} prints, and let ${principals.join(', ')} open the account (AuthorizedPrincipalsFile, or its name)`;
}
