/** Parses the name, port and connection method (`via`) of an EC2 host. Pure. */
import { ways, type Way } from '../../src/aws/ec2-session-policy.ts';
import { parseHostName, type HostName } from '../../src/ec2/host-name.ts';
import { invalid } from '../command-line/parse.ts';
import { suggest } from '../command-line/suggest.ts';

/**
 * @param place the name of the setting or option
 * @throws INPUT_INVALID
 */
export function parseWay(text: string | undefined, place: string): Way {
  const way = ways.find((known) => known === (text || ways[0]));
  if (way) return way;
  throw invalid(
    `${place} is not a way to connect: "${text ?? ''}"`,
    suggest(text ?? '', ways) ?? `write ${ways.join(', or ')}`,
  );
}

/** @throws INPUT_INVALID */
export function parseHost(text: string, way: Way): HostName {
  const host = parseHostName(text);
  if (!host) {
    const hint = 'write i- with 8 or 17 hex digits, mi- with 17, or TAG=VALUE';
    throw invalid(`not the name of an EC2 host: "${text}"`, hint);
  }
  if (host.kind !== 'managed' || way === 'session-manager') return host;
  const hint = 'remove ssm.via and SSM_SSH_VIA for it: only Session Manager can reach it';
  throw invalid(`${host.id} is not an EC2 instance: ${way} cannot reach it`, hint);
}

/** @throws INPUT_INVALID */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw invalid(`not a port: "${text}"`, 'write a number from 1 to 65535; sshd usually listens on 22');
}
