/** The secrets that servers of a test made for one run: they are known only from what came in. Pure. */
import type { Call } from './trace.ts';
import type { Secret } from './secrets.ts';

/** JSON of STS's and the metadata service's answers, and STS's XML. */
const patterns = [
  /(SecretAccessKey|SessionToken|Token|TokenValue|access_token)\\?"\s*:\s*\\?"([^"\\]{16,})/g,
  // GitHub's OIDC service.
  /"(value)\\?"\s*:\s*\\?"(eyJ[^"\\]{16,})/g,
  /<(SecretAccessKey|SessionToken)>([^<]{16,})</g,
];

/** A secret access key signs, and is never sent. A session token goes to AWS with each call. */
export function receivedSecrets(calls: readonly Call[]): Secret[] {
  const found = new Map<string, Secret>();
  for (const { to, text } of calls) {
    if (to !== undefined) continue;
    for (const [, name = '', value = ''] of patterns.flatMap((pattern) => [...text.matchAll(pattern)])) {
      const isKey = name === 'SecretAccessKey';
      found.set(value, { name, text: value, mayGo: isKey ? [] : ['server'] });
    }
  }
  return [...found.values()];
}
