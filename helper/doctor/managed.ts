/** What Systems Manager knows about a host. Importing this file loads the AWS SDK. */
import { DescribeInstanceInformationCommand, SSMClient, type InstanceInformation } from '@aws-sdk/client-ssm';
import { awsFailure, readAwsError } from '../../src/aws/failures.ts';
import type { Ec2Caller } from '../../src/ec2/caller.ts';
import { denialHint, isDenied } from '../../src/ec2/denials.ts';
import { Failure } from '../../src/errors.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { fail, ok, skip, warn, type Finding } from './finding.ts';

/** @throws SESSION_FAILED if it is denied, and the errors of any AWS call */
export async function managedHost(id: string, caller: Ec2Caller): Promise<InstanceInformation | undefined> {
  const { region, connection, credentials, signal } = caller;
  const client = new SSMClient({ region, ...connection, ...(credentials && { credentials }) });
  const Filters = [{ Key: 'InstanceIds', Values: [id] }];
  try {
    const command = new DescribeInstanceInformationCommand({ Filters });
    return (await client.send(command, { abortSignal: signal })).InstanceInformationList?.[0];
  } catch (error) {
    signal.throwIfAborted();
    if (!isDenied(error))
      throw awsFailure(error, { service: 'ssm', region, resource: id, doing: 'looking up' });
    const { message } = readAwsError(error);
    const statement = { Action: 'ssm:DescribeInstanceInformation', Resource: '*' };
    throw new Failure('SESSION_FAILED', `asking Systems Manager for ${id} is denied: ${message}`, {
      hint: `only doctor needs it: ${denialHint(message, statement)}`,
      cause: error,
    });
  }
}

/** @source Systems Manager API Reference, InstanceInformation */
export function managedFinding(check: string, id: string, found: InstanceInformation | undefined): Finding {
  if (!found) {
    const remedy =
      'start amazon-ssm-agent on it, give it the policy AmazonSSMManagedInstanceCore, and a way to ssm and ssmmessages';
    return fail(check, `Systems Manager does not know ${id}`, remedy);
  }
  const { PingStatus: ping = '', AgentVersion: version = '', IsLatestVersion: latest } = found;
  const detail = `the agent ${version} is ${ping}${latest === false ? ', and not the latest version' : ''}`;
  if (ping !== 'Online') {
    return fail(
      check,
      detail,
      'restart amazon-ssm-agent on the host, or check its way to ssm and ssmmessages',
    );
  }
  return isOldAgent(version)
    ? warn(
        check,
        `${detail}: sessions for ssh need 2.3.672.0`,
        `aws ssm send-command --document-name AWS-UpdateSSMAgent --instance-ids ${quoteForShell(id)}`,
      )
    : ok(check, detail);
}

/** @source Systems Manager User Guide, "Allow and control permissions for SSH connections through Session Manager" */
function isOldAgent(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major < 2 || (major === 2 && (minor < 3 || (minor === 3 && patch < 672)));
}

/** The platforms whose images have the package. @source EC2 User Guide, "Install EC2 Instance Connect" */
export function packageFinding(check: string, { PlatformName: name = '' }: InstanceInformation): Finding {
  if (/^(Amazon Linux|Ubuntu)/.test(name))
    return ok(check, `${name} comes with the package ec2-instance-connect`);
  return skip(
    check,
    `whether the package ec2-instance-connect is installed on ${name || 'this platform'} cannot be told from here`,
  );
}

/** The first user of usual images. @source EC2 User Guide, "Default user names" */
const users: readonly (readonly [platform: RegExp, user: string])[] = [
  [/^Ubuntu/, 'ubuntu'],
  [/^Debian/, 'admin'],
  [/^(Amazon Linux|Red Hat|SUSE|SLES|Rocky|AlmaLinux)/, 'ec2-user'],
];

/** @param user as it was written; empty: none */
export function userFinding(
  check: string,
  user: string,
  { PlatformName: name = '' }: InstanceInformation,
): Finding {
  const usual = users.find(([platform]) => platform.test(name))?.[1];
  if (user === '') {
    return skip(
      check,
      `no user was written${usual === undefined ? '' : `: images of ${name} have ${usual}`}`,
    );
  }
  if (usual === undefined || usual === user || user === 'root') {
    return skip(check, `whether the user ${user} is there cannot be told without a login`);
  }
  return warn(
    check,
    `images of ${name} have the user ${usual}, and not ${user}`,
    `write ${usual}@HOST, if nobody made the user ${user}`,
  );
}
