/** The address of a cache on this machine: AWS's Secrets Manager Agent, or its Parameters and Secrets Lambda Extension. Pure. */
import { isLoopback } from '../aws/endpoint.ts';
import { Failure } from '../errors.ts';

/**
 * Only this machine, because keys and the token of the cache are sent unencrypted.
 *
 * @param place where it is written, for the message
 * @throws INPUT_INVALID
 */
export function parseCacheAddress(text: string, place: string): URL {
  const url = URL.parse(text);
  const isAddress = url?.protocol === 'http:' && isLoopback(url.hostname) && url.href === `${url.origin}/`;
  if (url && isAddress) return url;
  // It may have a password in it.
  const shown = url && url.username + url.password === '' ? `: "${text}"` : '';
  throw new Failure('INPUT_INVALID', `${place} is not the address of a cache on this machine${shown}`, {
    hint: 'write http://localhost:2773, or the other port that it listens on',
  });
}
