/** What people write of an EC2 host and the way to it. */
import type { Way } from '../../src/aws/ec2-session-policy.ts';
import { parseHostName, type HostName } from '../../src/ec2/host-name.ts';
import { invalid } from '../command-line/parse.ts';

const ways = ['session-manager', 'instance-connect-endpoint', 'direct'] as const satisfies Way[];

/**
 * @param place where it was written
 * @throws INPUT_INVALID
 */
export function parseWay(text: string | undefined, place: string): Way {
  const way = ways.find((known) => known === (text || ways[0]));
  if (way) return way;
  throw invalid(`${place} is no way to a host: "${text ?? ''}"`, `write ${ways.join(', or ')}`);
}

/** @throws INPUT_INVALID */
export function parseHost(text: string, way: Way): HostName {
  const host = parseHostName(text);
  if (!host) {
    const hint = 'write i- with 8 or 17 hex digits, mi- with 17, or TAG=VALUE';
    throw invalid(`this is no name of an EC2 host: "${text}"`, hint);
  }
  if (host.kind !== 'managed' || way === 'session-manager') return host;
  const hint = 'leave ssm.via and SSM_SSH_VIA out for it: Session Manager is the one that knows it';
  throw invalid(`${host.id} is no EC2 instance: there is no way to it by ${way}`, hint);
}

/** @throws INPUT_INVALID */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw invalid(`this is no port: "${text}"`, 'write a number from 1 to 65535; sshd has 22');
}
