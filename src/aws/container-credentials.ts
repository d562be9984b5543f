/**
 * The credentials of a container (ECS, EKS Pod Identity). We send our own requests: the AWS SDK limits only the time to the
 * headers, reads answers of any size, and reports a cut answer as an error of another service.
 */
import { readFile } from 'node:fs/promises';
import { CredentialsProviderError } from '@smithy/core/config';
import type { AwsCredentialIdentity } from '@smithy/types';
import { sendRequest, type HttpAnswer } from '../http-request.ts';
import { isPrivate } from './endpoint.ts';
import { parseCredentials, type MetadataOptions } from './instance-metadata.ts';

const tries = 3;
/** Milliseconds before the second try, and three times as many before the third. */
const pause = 100;
/** Milliseconds for one try: the answer comes from this machine. */
const longest = 5_000;
/** Bytes. */
const largest = 64_000;

/** The addresses of ECS and EKS. */
const neighbours = new Set(['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]']);

/** Whether the environment names such credentials. */
export function isContainer(env: MetadataOptions['env']): boolean {
  return Boolean(env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] || env['AWS_CONTAINER_CREDENTIALS_FULL_URI']);
}

/**
 * @throws an error of the AWS SDK's, for its chain of providers
 * @source AWS SDKs and Tools Reference Guide, "Container credential provider"
 */
export async function containerCredentials({
  env,
  patience,
  signal = new AbortController().signal,
}: MetadataOptions): Promise<AwsCredentialIdentity> {
  const url = placeOf(env);
  for (let attempt = 1; ; attempt++) {
    const authorization = await authorizationOf(env);
    const answer = await sendRequest(
      { url, headers: authorization === undefined ? {} : { authorization } },
      { env, signal, largest, patience: Math.min(patience, longest) },
    );
    signal.throwIfAborted();
    const outcome = outcomeOf(answer);
    if (typeof outcome !== 'string') return outcome;
    const refused = answer.status !== undefined && answer.status >= 400 && answer.status < 500;
    if ((refused && answer.status !== 429) || attempt === tries) throw missing(outcome);
    await new Promise((resolve) => setTimeout(resolve, pause * 3 ** (attempt - 1)));
  }
}

function placeOf(env: MetadataOptions['env']): URL {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
  const place = relative
    ? `http://169.254.170.2${relative}`
    : (env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? '');
  if (!URL.canParse(place)) throw missing('the address is not a URL');
  const url = new URL(place);
  if (isPrivate(url) || neighbours.has(url.hostname)) return url;
  throw missing('the address is neither https nor that of ECS, EKS or this machine');
}

/** Read for each try: EKS rewrites the file. */
async function authorizationOf(env: MetadataOptions['env']): Promise<string | undefined> {
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  if (!file) return env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] || undefined;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw missing(`AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read (${(error as Error).message})`);
  });
  return text.trim();
}

/** @returns a text that says what is wrong, or the credentials */
function outcomeOf({ status, text }: HttpAnswer): AwsCredentialIdentity | string {
  if (status === undefined) return `no whole answer (${text})`;
  if (status !== 200) return `the answer was ${status}`;
  const read = parseCredentials(text);
  if (read === undefined) return 'the answer is broken, or not from AWS';
  return 'refused' in read ? read.refused : read;
}

function missing(what: string): Error {
  return new CredentialsProviderError(`this container's credentials: ${what}`, { tryNextLink: false });
}
