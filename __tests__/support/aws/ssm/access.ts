/** Access to a parameter: IAM, sharing between accounts, and KMS. */
import { randomUUID } from 'node:crypto';

import { refusalOf, type Caller } from '../iam/caller.ts';
import { AwsError } from '../errors.ts';
import { KmsError, type Kms, type KeyUse } from '../kms.ts';
import type { ParameterRequest } from './parameter-name.ts';
import type { Parameter, ParameterStore } from './parameters.ts';

export interface SsmStore {
  readonly parameters: ParameterStore;
  readonly kms: Kms;
}

/** IAM is checked before existence. Throws AccessDeniedException. */
export function requirePermission(caller: Caller, action: string, arn: string): void {
  const refusal = refusalOf(caller, { action, resource: arn });
  if (refusal !== undefined) throw denied(`${refusal.message} ${refusal.reason}`);
}

/** The parameter, if the caller may see that it exists; otherwise undefined. */
export function locate(
  { parameters }: SsmStore,
  caller: Caller,
  { request, action }: { readonly request: ParameterRequest; readonly action: string },
): Parameter | undefined {
  if (!request.byArn) return parameters.find(request, request.name);
  // An endpoint only knows its own Region.
  const parameter = request.region === caller.region ? parameters.findByArn(request.arn) : undefined;
  const { account, arn } = caller.principal;
  if (request.account === account || parameter?.sharedWith.includes(account)) return parameter;
  throw denied(
    `User: ${arn} is not authorized to perform: ${action} on resource: ${request.arn} ` +
      `because no resource-based policy allows the ${action} action`,
  );
}

/** KMS's refusal as Systems Manager passes it on. */
export function requireKey(kms: Kms, caller: Caller, use: Omit<KeyUse, 'via'> & { action: string }): void {
  try {
    kms.authorize(caller, use.action, { ...use, via: 'ssm' });
  } catch (error) {
    if (!(error instanceof KmsError)) throw error;
    const code = error.code === 'AccessDeniedException' ? error.code : 'InvalidKeyId';
    const origin = `Service: AWSKMS; Status Code: 400; Error Code: ${error.code}; Request ID: ${randomUUID()}; Proxy: null`;
    throw new AwsError({ code, message: `${error.message} (${origin})` });
  }
}

function denied(message: string): AwsError {
  return new AwsError({ code: 'AccessDeniedException', message });
}
