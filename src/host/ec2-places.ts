/** The sections of git's configuration that name an EC2 host: their place counts with a key and without one. Pure. */
import { parseHostName } from '../ec2/host-name.ts';
import type { Settings } from '../git/listing.ts';
import { patternOf, sectionFor, sectionsWith, type HostSettings } from './settings.ts';

export interface Ec2Section {
  /** The part of its names between `ssm.` and the last dot. */
  readonly section: string;
  /** An id in lower case, or TAG=VALUE as written: tags are case-sensitive. */
  readonly host: string;
  /** Of an id. */
  readonly port: number;
}

export interface Ec2Place extends Omit<Ec2Section, 'section'> {
  readonly place: HostSettings;
}

const sshPort = 22;
const variables = ['region', 'rolearn', 'timeout', 'via'];

/** Those with an id are before those with a tag. */
export function ec2Sections(settings: Settings): Ec2Section[] {
  const names = new Set(variables.flatMap((variable) => sectionsWith(settings, variable)));
  const found = [...names].flatMap((section) => {
    if (parseHostName(section)?.kind === 'tag') return [{ section, host: section, port: sshPort }];
    const { host = '', port = sshPort, path } = patternOf(section) ?? {};
    return path === '' && parseHostName(host) ? [{ section, host, port }] : [];
  });
  return [...found.filter(({ host }) => !isTag(host)), ...found.filter(({ host }) => isTag(host))];
}

/** @param named the id, or the tag as typed */
export function findEc2Section<S extends Omit<Ec2Section, 'section'>>(
  sections: readonly S[],
  { named, port }: { readonly named: string; readonly port: number },
): S | undefined {
  return sections.find((one) =>
    isTag(one.host) ? one.host === named : one.host === named.toLowerCase() && one.port === port,
  );
}

/**
 * The section whose settings count for a connection to the host: of its key, if it has one.
 *
 * @param host as typed
 */
export function sectionOfHost(settings: Settings, host: string): string | undefined {
  const ofKey = sectionFor(settings, { host, path: '' }, sshPort);
  return ofKey ?? findEc2Section(ec2Sections(settings), { named: host, port: sshPort })?.section;
}

export function isTag(host: string): boolean {
  return host.includes('=');
}
