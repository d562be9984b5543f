/** Checks an EC2 host: whether it runs, Session Manager's agent, Instance Connect, and the user. */
import type { Ec2Caller } from '../../src/ec2/caller.ts';
import { parseHostName } from '../../src/ec2/host-name.ts';
import { findInstance } from '../../src/ec2/instances.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { parseHost, parseWay } from '../proxy/way.ts';
import { failed, ok, skip, unchecked, type Finding } from './finding.ts';
import type { Reader } from './aws-access.ts';
import { managedFinding, managedHost, packageFinding, userFinding } from './managed.ts';

export interface HostCheck {
  readonly reader: () => Promise<Reader>;
  /** The setting `via` of the host's section, or of all hosts. */
  readonly via: string | undefined;
  readonly signal: AbortSignal;
}

/** @param text `HOST` or `USER@HOST` */
export function parseTarget(text: string): { readonly user: string; readonly host: string } {
  const at = text.lastIndexOf('@', parseHostName(text) ? -1 : text.length);
  return at < 0 ? { user: '', host: text } : { user: text.slice(0, at), host: text.slice(at + 1) };
}

/** @param text `HOST` or `USER@HOST` */
export async function checkHost(text: string, options: HostCheck): Promise<Finding[]> {
  const { user, host } = parseTarget(text);
  const names = namesFor(host);
  try {
    const via = parseWay(options.via, 'ssm.via (SSM_SSH_VIA)');
    const name = parseHost(host, via);
    const { region, caller, credentials } = await options.reader();
    const { connection } = caller;
    const { signal } = options;
    const asking: Ec2Caller = {
      ...{ region, connection, signal },
      credentials: credentials ? () => Promise.resolve(credentials) : undefined,
    };
    if (name.kind === 'managed') {
      const away = skip(names.instance, 'it is not an EC2 instance');
      return [away, ...(await checkManaged(name.id, { names, user, asking, via }))];
    }
    const found = await findInstance(name, asking);
    const label = found.name === undefined ? '' : ` (${found.name})`;
    const running = ok(
      names.instance,
      `${found.instanceId}${label} is running in ${found.availabilityZone ?? region}`,
    );
    return [running, ...(await checkManaged(found.instanceId, { names, user, asking, via }))];
  } catch (error) {
    const others = [names.managed, names.connect, names.user, names.permission].map((name) =>
      unchecked(name, names.instance),
    );
    return [failed(names.instance, error), ...others];
  }
}

interface Names {
  readonly instance: string;
  readonly managed: string;
  readonly connect: string;
  readonly user: string;
  readonly permission: string;
}

function namesFor(host: string): Names {
  return {
    instance: `instance ${host}`,
    managed: `session manager ${host}`,
    connect: `instance connect ${host}`,
    user: `user ${host}`,
    permission: `permissions ${host}`,
  };
}

interface Managed {
  readonly names: Names;
  readonly user: string;
  readonly asking: Ec2Caller;
  readonly via: string;
}

async function checkManaged(id: string, { names, user, asking, via }: Managed): Promise<Finding[]> {
  const permission = skip(
    names.permission,
    'AWS has no dry run for ssm:StartSession and ec2-instance-connect:SendSSHPublicKey',
    `connect once: ssm-ssh ${quoteForShell(`${user === '' ? 'USER' : user}@${id}`)} true`,
  );
  try {
    const found = await managedHost(id, asking);
    const managed =
      via === 'session-manager'
        ? managedFinding(names.managed, id, found)
        : skip(names.managed, `the way is ${via}, which needs no agent`);
    const rest = found
      ? [packageFinding(names.connect, found), userFinding(names.user, user, found)]
      : [names.connect, names.user].map((name) => skip(name, 'cannot be told without Systems Manager'));
    return [managed, ...rest, permission];
  } catch (error) {
    const others = [names.connect, names.user].map((name) => unchecked(name, names.managed));
    return [failed(names.managed, error), ...others, permission];
  }
}
