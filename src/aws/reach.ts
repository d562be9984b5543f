/** Asks an endpoint without credentials: whatever it answers, it has been reached. */
import { awsAuthorities } from './authorities.ts';
import { sendRequest, type HttpAnswer, type HttpOptions } from '../http-request.ts';

export type { HttpAnswer as Reached };

/** Milliseconds. */
const patience = 3_000;

/**
 * One GET. Without an answer, the status is absent, and the text and the code say why.
 *
 * @throws INPUT_INVALID
 */
export async function reach(url: URL, options: Pick<HttpOptions, 'env' | 'signal'>): Promise<HttpAnswer> {
  return await sendRequest(
    { url, headers: {} },
    { ...options, patience, secureContext: awsAuthorities(options.env) },
  );
}
