/** The real SDK's clients for a local AWS. */
import { SSMClient, type SSMClientConfig } from '@aws-sdk/client-ssm';
import { STSClient, type STSClientConfig } from '@aws-sdk/client-sts';

import type { Credentials, LocalAws, PolicyDocument } from '../../support/aws/local-aws.ts';
import { REGION, ROLE_ARN } from '../../support/aws/world.ts';

export function ssmClient(aws: LocalAws, credentials: Credentials, more: SSMClientConfig = {}): SSMClient {
  return new SSMClient({ region: REGION, endpoint: aws.endpoint, maxAttempts: 1, credentials, ...more });
}

/** A client with a session of the usual role, narrowed by the given session policies. */
export function ciClient(aws: LocalAws, sessionPolicies: readonly PolicyDocument[] = []): SSMClient {
  const session = { roleArn: ROLE_ARN, sessionName: 'run-1' };
  const narrowed = sessionPolicies.length > 0 ? { ...session, sessionPolicies } : session;
  return ssmClient(aws, aws.iam.createSession(narrowed));
}

export function stsClient(aws: LocalAws, credentials?: Credentials, more: STSClientConfig = {}): STSClient {
  return new STSClient({
    region: REGION,
    endpoint: aws.endpoint,
    maxAttempts: 1,
    ...(credentials && { credentials }),
    ...more,
  });
}

export interface Failure {
  /** The error's code in the SDK. */
  readonly name: string;
  readonly message: string;
  /** HTTP status. */
  readonly status: number | undefined;
}

/** The error of a call. A successful call fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error(`expected a refusal, got ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof Error)) throw new TypeError('not an Error');
  const { name, message } = outcome.error;
  const metadata = '$metadata' in outcome.error ? outcome.error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? Number(metadata.httpStatusCode)
      : undefined;
  return { name, message, status };
}
