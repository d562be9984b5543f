/** The address of a cache on this machine: AWS's Secrets Manager Agent, or its Parameters and Secrets Lambda Extension. Pure. */
import { isLoopback } from '../aws/endpoint.ts';
import { Failure } from '../errors.ts';

/**
 * Only this machine, because keys and the token of the cache are sent unencrypted.
 *
 * `localhost` becomes 127.0.0.1, where AWS's agent listens. The name may lead to ::1 first, and there another user of this
 * machine can listen on the same port, to get the token and to answer.
 *
 * @source aws/aws-secretsmanager-agent, `init` in main.rs
 * @param place where it is written, for the message
 * @throws INPUT_INVALID
 */
export function parseCacheAddress(text: string, place: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAddress = url?.protocol === 'http:' && isLoopback(url.hostname) && url.href === `${url.origin}/`;
  if (url && isAddress) {
    if (url.hostname === 'localhost') url.hostname = '127.0.0.1';
    return url;
  }
  // It may have a password in it.
  const shown = url && url.username + url.password === '' ? `: "${text}"` : '';
  throw new Failure('INPUT_INVALID', `${place} is not the address of a cache on this machine${shown}`, {
    hint: 'write http://localhost:2773, or the other port that it listens on',
  });
}
