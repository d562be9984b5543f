/** The files in which ssh looks for host keys by default (ssh_config(5), UserKnownHostsFile, GlobalKnownHostsFile). */
import { isAbsolute, join } from 'node:path';

export function knownHostsOf({ HOME: home = '' }: Readonly<Record<string, string | undefined>>): string[] {
  return [
    ...(isAbsolute(home) ? ['known_hosts', 'known_hosts2'].map((name) => join(home, '.ssh', name)) : []),
    ...['ssh_known_hosts', 'ssh_known_hosts2'].map((name) => join('/etc/ssh', name)),
  ];
}
