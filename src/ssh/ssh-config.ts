/** The block of ~/.ssh/config that leads plain ssh to our keys by host, in one job and nowhere else. Pure. */
import { allButEc2HostIds, ec2HostIds, quotable } from '../keys/ec2-host-patterns.ts';
import type { RepositoryPattern } from '../keys/routes.ts';
import { sshPath } from './ssh-path.ts';

export interface ConfigKey {
  /** What ssh is told of the key: the file with its public half, and its certificate's, if it has one. */
  readonly publicKey: string;
  readonly certificate?: string | undefined;
  /** Empty: a default key. */
  readonly repositories: readonly RepositoryPattern[];
}

export interface ConfigOptions {
  /** RUNNER_TEMP: no other job that runs now has the same. */
  readonly temp: string;
  readonly socket: string;
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  /** By other blocks of the job, behind this one. */
  readonly claimedBefore?: readonly Claimed[];
  /** Where the job has a role that reaches EC2 hosts. */
  readonly ec2?: Ec2Access | undefined;
}

export interface Ec2Access {
  /** For the shell that ssh hands it to: a program that is given host, port and user. */
  readonly proxy: string;
  readonly socket: string;
  readonly knownHosts: string;
}

export interface Claimed {
  readonly host: string;
  readonly port: number;
}

/**
 * helper/ssm-ssh sets SSM_SSH_ROUTED for the ssh that it becomes: where it has chosen, the block has no say.
 *
 * @param keys in the order written
 * @returns lines; the last one gives way to whatever the file says next
 * @source ssh_config(5): the first value of an option wins, but for IdentityFile, which adds up
 */
export function renderSshConfig(keys: readonly ConfigKey[], options: ConfigOptions): string[] {
  const places = claimedPlaces(keys);
  const defaults = keys.filter(({ repositories }) => repositories.length === 0);
  const allClaimed = [...places, ...(options.claimedBefore ?? [])];
  const claimed = places.flatMap((place) => [
    `Match host "${hostsOf(place, allClaimed)}" ${isInstance(place) ? `${quotable} ` : ''}${inJob(options.temp, String(place.port))}`,
    ...(options.ec2 && isInstance(place) ? [`  ProxyCommand ${words(options.ec2.proxy)} -- '%n' %p`] : []),
    ...offer(place.keys, options),
  ]);
  return [
    ...claimed,
    ...(options.ec2 ? reachEc2(options.ec2, options) : []),
    ...(defaults.length > 0 ? offerElsewhere(defaults, allClaimed, options) : []),
    `Match ${inJob(options.temp, '*')}`,
    `  UserKnownHostsFile ${sshPath(options.knownHosts)} ~/.ssh/known_hosts ~/.ssh/known_hosts2`,
    `  StrictHostKeyChecking ${options.strictHostKeyChecking}`,
    'Match all',
  ];
}

interface Place extends Claimed {
  readonly keys: readonly ConfigKey[];
}

/** By host and port alone: plain ssh does not say which repository it is for. Exact hosts first. */
function claimedPlaces(keys: readonly ConfigKey[]): Place[] {
  const places = new Map<string, Place>();
  for (const key of keys) {
    for (const { host, port = 22 } of key.repositories) {
      const name = `${host} ${port}`;
      const there = places.get(name)?.keys ?? [];
      places.set(name, { host, port, keys: [...new Set([...there, key])] });
    }
  }
  return [...places.values()].sort((a, b) => Number(isWildcard(a)) - Number(isWildcard(b)));
}

function isWildcard({ host }: Claimed): boolean {
  return host.startsWith('*.');
}

/** `*.` is one label here and any number to ssh; an exact host goes before it. */
function hostsOf(place: Claimed, places: readonly Claimed[]): string {
  if (!isWildcard(place)) return place.host;
  const domain = place.host.slice(1);
  const exact = places.filter(
    (other) => !isWildcard(other) && other.port === place.port && other.host.endsWith(domain),
  );
  return [place.host, `!*.${place.host}`, ...exact.map(({ host }) => `!${host}`)].join(',');
}

/** TAG=VALUE: an EC2 host, too, which no default key is for. */
const tags = '*=*';

/** A key that names it goes there without another being pushed: the tunnel's program is told of no user. */
function isInstance({ host }: Claimed): boolean {
  return /^(i-[0-9a-f]{8}|m?i-[0-9a-f]{17})$/.test(host);
}

/** In a command as in a path, % begins a token. */
function words(command: string): string {
  return command.replaceAll('%', '%%');
}

/**
 * By the ids that AWS gives, which are never given again: what answers there first is the host. The tunnel's program puts
 * a key into the agent while ssh connects; with IdentitiesOnly ssh would have to know it before.
 */
function reachEc2({ proxy, socket, knownHosts }: Ec2Access, { temp }: ConfigOptions): string[] {
  return [
    `Match host "${ec2HostIds}" ${quotable} ${inJob(temp, '*')}`,
    `  ProxyCommand ${words(proxy)} -- '%n' %p '%r'`,
    `  IdentityAgent ${sshPath(socket)}`,
    '  IdentitiesOnly no',
    '  IdentityFile none',
    '  ForwardAgent no',
    '  ControlPath none',
    `  UserKnownHostsFile ${sshPath(knownHosts)}`,
    '  StrictHostKeyChecking accept-new',
  ];
}

/** The default keys: for all hosts at a port that nobody claims, and at the others for the hosts that are left. */
function offerElsewhere(
  defaults: readonly ConfigKey[],
  places: readonly Claimed[],
  options: ConfigOptions,
): string[] {
  const ports = [...new Set(places.map(({ port }) => port))];
  const offerTo = (claimed: readonly string[], place: string): string[] =>
    allButEc2HostIds([tags, ...claimed]).flatMap((hosts) => [
      `Match ${hosts} ${place}`,
      ...offer(defaults, options),
    ]);
  const beside = ports.flatMap((port) => {
    const claimed = places.filter((place) => place.port === port).map(({ host }) => host);
    return offerTo(claimed, inJob(options.temp, String(port)));
  });
  return [...beside, ...offerTo([], inJob(options.temp, '*', ports))];
}

/** ssh would forward this agent, with all keys of the job. Only -A still does. */
function offer(keys: readonly ConfigKey[], { socket }: ConfigOptions): string[] {
  return [
    `  IdentityAgent ${sshPath(socket)}`,
    '  IdentitiesOnly yes',
    '  ForwardAgent no',
    '  ControlPath none',
    ...keys.flatMap(({ publicKey, certificate }) => [
      ...(certificate === undefined ? [] : [`  CertificateFile ${sshPath(certificate)}`]),
      `  IdentityFile ${sshPath(publicKey)}`,
    ]),
  ];
}

/**
 * One `case` of the shell that ssh hands it to. Its patterns match `SSM_SSH_ROUTED:PORT:RUNNER_TEMP`; what neither ssh's
 * quotes nor the shell's can hold is matched by `?`.
 */
function inJob(temp: string, port: string, otherPorts: readonly number[] = []): string {
  const path = temp.replace(/['\\]/g, "'?'").replaceAll('%', '%%');
  const not = otherPorts.map((other) => `:${other}:*) false;; `).join('');
  return `exec "case $SSM_SSH_ROUTED:%p:$RUNNER_TEMP in ${not}:${port}:'${path}') ;; *) false;; esac"`;
}
