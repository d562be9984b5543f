/** EC2 Instance Connect's endpoint: the awsJson1_1 protocol and SendSSHPublicKey. */
import { randomUUID } from 'node:crypto';

import { jsonAnswer, jsonCommonError, jsonMembers, jsonOperation, jsonRefusal } from '../wire/aws-json.ts';
import type { JsonRecord } from '../wire/aws-json.ts';
import { instanceArn, type Ec2, type LaunchedInstance } from '../ec2/instances.ts';
import { AwsError } from '../errors.ts';
import { authenticate, refusalOf, regionOf, type ApiOptions, type Caller } from '../iam/caller.ts';
import type { RequestContext } from '../iam/policy.ts';
import type { HttpRequest } from '../wire/http-server.ts';
import type { Service } from '../wire/service.ts';
import type { PushedKeys } from './pushed-keys.ts';

const TARGET = 'AWSEC2InstanceConnectService';
const ACTION = 'ec2-instance-connect:SendSSHPublicKey';

export interface InstanceConnectStore {
  readonly ec2: Ec2;
  readonly pushedKeys: PushedKeys;
}

export function isForInstanceConnect(request: HttpRequest): boolean {
  return jsonOperation(request, TARGET) !== undefined;
}

export function instanceConnect(store: InstanceConnectStore, options: ApiOptions): Service {
  return {
    identify(request) {
      const operation = `ec2-instance-connect:${jsonOperation(request, TARGET) ?? 'Unknown'}`;
      const parameters = jsonMembers(request) ?? {};
      return { service: 'ec2-instance-connect', operation, region: regionOf(request), parameters };
    },
    perform(request, { operation }, call) {
      const caller = authenticate(request, { ...options, service: 'ec2-instance-connect' });
      const { account, arn, roleArn, sessionName } = caller.principal;
      Object.assign(call, { account, principal: arn, roleArn, sessionName });
      if (operation !== ACTION) throw new AwsError({ code: 'UnknownOperationException', message: '' });
      sendSshPublicKey(store, caller, jsonMembers(request) ?? {});
      return Promise.resolve(jsonAnswer({ RequestId: randomUUID(), Success: true }));
    },
    refuse: jsonRefusal,
    commonError: jsonCommonError,
  };
}

/** Source: SendSSHPublicKey and "Actions, resources, and condition keys for Amazon EC2 Instance Connect". */
function sendSshPublicKey(
  { ec2, pushedKeys }: InstanceConnectStore,
  caller: Caller,
  input: JsonRecord,
): void {
  const instanceId = member(input, 'InstanceId', /^i-[a-f0-9]{8,30}$/);
  const user = member(input, 'InstanceOSUser', /^[A-Za-z_][A-Za-z0-9_@.-]{0,30}[A-Za-z0-9$_-]?$/);
  const publicKey = member(
    input,
    'SSHPublicKey',
    /^(?=[^]{80,4096}$)(?:ssh-rsa|ssh-ed25519) \S+(?: .*)?\n?$/,
  );
  const place = { account: caller.principal.account, region: caller.region };
  const instance = ec2.find(instanceId, place);
  const resource = instanceArn({ ...place, instanceId });
  const refusal = refusalOf(caller, { action: ACTION, resource, context: contextOf(user, instance) });
  if (refusal !== undefined) {
    throw new AwsError({
      code: 'AccessDeniedException',
      message: `${refusal.message} ${refusal.reason}`,
    });
  }
  if (instance === undefined) {
    throw new AwsError({
      code: 'EC2InstanceNotFoundException',
      message: 'The specified instance was not found.',
    });
  }
  if (instance.state !== 'running') {
    throw new AwsError({
      code: 'EC2InstanceStateInvalidException',
      message: `Unable to connect because the instance is not in a valid state: ${instance.state}.`,
    });
  }
  pushedKeys.push({ instanceId, user, publicKey: publicKey.trim() });
}

function contextOf(user: string, instance: LaunchedInstance | undefined): RequestContext {
  const tags = Object.entries(instance?.tags ?? {}).flatMap(([key, value]) => [
    [`aws:ResourceTag/${key}`, value],
    [`ec2:ResourceTag/${key}`, value],
  ]);
  return { 'ec2:osuser': user, ...(Object.fromEntries(tags) as RequestContext) };
}

function member(input: JsonRecord, name: string, pattern: RegExp): string {
  const value = input[name];
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new AwsError({ code: 'InvalidArgsException', message: `${name} is not valid.` });
}
