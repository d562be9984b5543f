/** Asks an endpoint without credentials: whatever it answers, it has been reached. */
import { sendRequest, type HttpAnswer, type HttpOptions } from '../http-request.ts';

export type { HttpAnswer as Reached };

/** Milliseconds. */
const patience = 3_000;

/** One GET. Never rejects: without an answer, the status is absent, and the text and the code say why. */
export async function reach(url: URL, options: Pick<HttpOptions, 'env' | 'signal'>): Promise<HttpAnswer> {
  return await sendRequest({ url, headers: {} }, { ...options, patience });
}
