/** The block in ~/.ssh/config that makes plain ssh use the job's keys by host, only within this job. Pure. */
import { allButEc2HostIds, ec2HostIds, quotable } from '../keys/ec2-host-patterns.ts';
import type { RepositoryPattern } from '../keys/routes.ts';
import { sshPath } from './ssh-path.ts';

export interface ConfigKey {
  /** The files of the key: its public key, and its certificate if it has one. */
  readonly publicKey: string;
  readonly certificate?: string | undefined;
  /** Empty: a default key. */
  readonly repositories: readonly RepositoryPattern[];
}

export interface ConfigOptions {
  /** RUNNER_TEMP, which is different for every running job. */
  readonly temp: string;
  readonly socket: string;
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  /** The hosts of later blocks of the same job. */
  readonly claimedBefore?: readonly Claimed[];
  /** Set if the job has a role that reaches EC2 hosts. */
  readonly ec2?: Ec2Access | undefined;
}

export interface Ec2Access {
  /** A shell command. Host, port and user are appended to it. */
  readonly proxy: string;
  readonly socket: string;
  readonly knownHosts: string;
}

export interface Claimed {
  readonly host: string;
  readonly port: number;
}

/**
 * helper/ssm-ssh sets SSM_SSH_ROUTED for its ssh: the block does not match then, because the key is already chosen.
 *
 * @param keys in the order written
 * @returns lines; the last one is `Match all`, so that later lines of the file apply to all hosts
 * @source ssh_config(5): the first value of an option wins, except for IdentityFile, which adds up
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

/** By host and port only: plain ssh does not know the repository. Exact hosts come first. */
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

/** `*.` is one label in our patterns, but any number of labels for ssh. Exact hosts take precedence. */
function hostsOf(place: Claimed, places: readonly Claimed[]): string {
  if (!isWildcard(place)) return place.host;
  const domain = place.host.slice(1);
  const exact = places.filter(
    (other) => !isWildcard(other) && other.port === place.port && other.host.endsWith(domain),
  );
  return [place.host, `!*.${place.host}`, ...exact.map(({ host }) => `!${host}`)].join(',');
}

/** TAG=VALUE names an EC2 host, and default keys never serve EC2 hosts. */
const tags = '*=*';

/** A key for an EC2 host is used without a pushed key: the tunnel's program gets no user name. */
function isInstance({ host }: Claimed): boolean {
  return /^(i-[0-9a-f]{8}|m?i-[0-9a-f]{17})$/.test(host);
}

/** % begins a token in commands, too. */
function words(command: string): string {
  return command.replaceAll('%', '%%');
}

/**
 * Matches EC2 ids only. AWS never reuses an id, so the host key of the first answer is accepted. The tunnel's program
 * adds a key to the agent while ssh connects. With IdentitiesOnly, ssh would have to know that key before.
 */
function reachEc2({ proxy, socket, knownHosts }: Ec2Access, { temp }: ConfigOptions): string[] {
  return [
    `Match host "${ec2HostIds}" ${quotable} ${inJob(temp, '*')}`,
    `  ProxyCommand ${words(proxy)} -- '%n' %p '%r'`,
    `  IdentityAgent ${sshPath(socket)}`,
    '  AddKeysToAgent no',
    '  IdentitiesOnly no',
    '  IdentityFile none',
    '  ForwardAgent no',
    '  ControlPath none',
    `  UserKnownHostsFile ${sshPath(knownHosts)}`,
    '  StrictHostKeyChecking accept-new',
  ];
}

/** The default keys: for all hosts on ports without own hosts, and for the remaining hosts on other ports. */
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

/**
 * ssh would forward this agent with all keys of the job otherwise, which `-A` still does, and would add the user's own keys
 * to it.
 */
function offer(keys: readonly ConfigKey[], { socket }: ConfigOptions): string[] {
  return [
    `  IdentityAgent ${sshPath(socket)}`,
    '  AddKeysToAgent no',
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
 * A `case` for the shell that ssh runs. Its patterns match `SSM_SSH_ROUTED:PORT:RUNNER_TEMP`. `?` stands for characters
 * that cannot be quoted.
 */
function inJob(temp: string, port: string, otherPorts: readonly number[] = []): string {
  const path = temp.replace(/['\\]/g, "'?'").replaceAll('%', '%%');
  const not = otherPorts.map((other) => `:${other}:*) false;; `).join('');
  return `exec "case $SSM_SSH_ROUTED:%p:$RUNNER_TEMP in ${not}:${port}:'${path}') ;; *) false;; esac"`;
}
