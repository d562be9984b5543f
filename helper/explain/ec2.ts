/** Explains the connection to an EC2 host: the way, the user, and the key. */
import { parseHostName } from '../../src/ec2/host-name.ts';
import { Failure } from '../../src/errors.ts';
import { candidatesOf, passedOverBy, type Candidates, type Situation } from '../../src/host/explain.ts';
import type { RemoteUrl } from '../../src/host/foreign-command.ts';
import { pick } from '../../src/host/compile.ts';
import { findEc2Section } from '../../src/host/ec2-places.ts';
import { parseHost, parseWay } from '../proxy/way.ts';
import type { Explanation } from './explanation.ts';

type Part = Omit<Explanation, 'asked' | 'rewritten'>;

/** The order is that of helper/ssm-ssh-ec2.sh: a key that names the host, then a key that is made and pushed. */
export function explainEc2(
  situation: Situation,
  { remote, isGit }: { readonly remote: RemoteUrl; readonly isGit: boolean },
): Part {
  const { host, user = null } = remote;
  const candidates = candidatesOf(situation);
  const keys = candidates.route.length > 0 ? candidates.route : candidates.section;
  const by = candidates.route.length > 0 ? 'route' : candidates.section.length > 0 ? 'section' : 'ssh';
  const passedOver = passedOverBy({ by, keys }, situation);
  const { via, problem } = wayTo(host, situation);
  const common = { kind: 'ec2', keys, passedOver, notes: notesOf(host) } as const;
  const connection = { via, user, pushesKey: keys.length === 0 };
  const names = keys.map(({ reference, fingerprint }) => reference ?? fingerprint ?? '').join(', ');
  const refusal = problem ?? refusalOf({ host, isGit }, candidates, situation);
  if (refusal !== undefined) {
    const [answer, why] = refusal;
    return {
      ...common,
      offered: false,
      answer: `no key is offered for ${host}: ${answer}`,
      why,
      ec2: connection,
    };
  }
  if (keys.length > 0) {
    const why = by === 'route' ? 'a line of keys names the host' : 'a section names the host';
    return { ...common, offered: true, answer: `${names} is offered for ${host}`, why, ec2: connection };
  }
  const answer = `a key that is made for the connection is pushed to ${host} with EC2 Instance Connect`;
  return { ...common, offered: true, answer, why: 'no key names the host', ec2: connection };
}

type Refusal = readonly [answer: string, why: string];

function wayTo(
  host: string,
  { compiled, remote }: Situation,
): { readonly via: string; readonly problem?: Refusal } {
  const [key] = pick({ keys: compiled.keys.filter(({ pattern }) => pattern) }, remote);
  const named = findEc2Section(compiled.ec2Places, { named: host, port: remote.port ?? 22 });
  const { via: text } = key?.place ?? named?.place ?? compiled.place;
  try {
    const via = parseWay(text, 'ssm.via (SSM_SSH_VIA)');
    parseHost(host, via);
    return { via };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { via: text ?? '', problem: [error.message, error.hint] };
  }
}

/** A URL of git may be anybody's, so a protected setting has to allow it. */
function refusalOf(
  { host, isGit }: { readonly host: string; readonly isGit: boolean },
  { route, section }: Candidates,
  { compiled, remote }: Situation,
): Refusal | undefined {
  const isNamed = route.length > 0 || section.length > 0;
  const trusted = compiled.keys.filter(({ pattern, isProtected }) => pattern && isProtected);
  if (isGit && !compiled.ec2Remotes && route.length === 0 && pick({ keys: trusted }, remote).length === 0) {
    return [
      'nothing allows git to reach it',
      'if the URL is yours: git config --global ssm.ec2Remotes true, or SSM_SSH_EC2_REMOTES=1',
    ];
  }
  if (parseHostName(host)?.kind !== 'managed' || isNamed) return undefined;
  return ['it is no EC2 instance, and needs a key', `git config --global ssm.${host}.key /NAME names one`];
}

function notesOf(host: string): string[] {
  if (parseHostName(host)?.kind !== 'tag') return [];
  return [
    'AWS is asked for the instance only when ssm-ssh connects: a section for the id of the instance takes precedence then',
  ];
}
