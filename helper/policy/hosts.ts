/** `--host` and `--user` as text → the hosts of a policy. Pure. */
import type { Way } from '../../src/aws/ec2-session-policy.ts';
import type { PolicyHost } from '../../src/aws/host-policy.ts';
import { parseHostName } from '../../src/ec2/host-name.ts';
import { Failure } from '../../src/errors.ts';

/**
 * The characters that AWS allows in the tags of all its services. None of them is special in a policy (`*`, `?`, `${`), in
 * Terraform (`%{`, `&{`) or in CloudFormation (`{{resolve:`).
 *
 * @source AWS General Reference, "Tagging AWS resources"
 */
const tagKey = /^[A-Za-z0-9 _.:/=+@-]{1,128}$/;
const tagValue = /^[A-Za-z0-9 _.:/=+@-]{0,256}$/;
/** @source EC2 Instance Connect API Reference, SendSSHPublicKey, `InstanceOSUser` */
const osUser = /^[A-Za-z_][A-Za-z0-9_@.-]{0,30}[A-Za-z0-9$_-]?$/;

/**
 * `[USER@]HOST`. The host is an id, or TAG=VALUE.
 *
 * @param user for hosts without a user of their own
 * @throws INPUT_INVALID
 */
export function parsePolicyHost(text: string, user: string | undefined, via: Way): PolicyHost {
  const [, written, name = ''] = /^([^@=]+@)?(.*)$/s.exec(text) ?? [];
  const host = parseHostName(name);
  if (!host) {
    throw invalid(`--host is not an EC2 host: "${text}"`, 'write i-…, mi-… or TAG=VALUE, as in Name=web-1');
  }
  const login = written?.slice(0, -1) ?? user;
  if (login !== undefined && !osUser.test(login)) {
    throw invalid(
      `"${login}" is not the name of an OS user`,
      'write --user ec2-user, or --host ec2-user@i-…',
    );
  }
  if (host.kind === 'managed' && via !== 'session-manager') {
    throw invalid(`${host.id} is reached through Session Manager only`, 'leave out --via');
  }
  if (host.kind === 'tag') checkTag(host.key, host.value);
  return { target: host, user: login };
}

function checkTag(key: string, value: string): void {
  if (tagKey.test(key) && tagValue.test(value)) return;
  throw invalid(
    `the tag "${key}=${value}" has characters that a policy could read as a pattern`,
    'use a tag of letters, digits, spaces and _ . : / = + - @, or write the id of the instance',
  );
}

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
