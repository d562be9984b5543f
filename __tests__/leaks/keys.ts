/** What is secret of a private key. Pure. */
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import type { Channel, Secret } from './secrets.ts';

/** The lines that only the private half has, and its bytes. */
export function secretsOfKey(name: string, privateKey: string, mayGo: readonly Channel[]): Secret[] {
  const [, pair] = parsePrivateKey(privateKey, '').fields;
  const seed = pair?.subarray(0, 32).toString('latin1') ?? '';
  return [textOfKey(name, privateKey, mayGo), { name: `the private half of ${name}`, text: seed, mayGo }];
}

/** Also of an encrypted key. */
export function textOfKey(name: string, privateKey: string, mayGo: readonly Channel[]): Secret {
  const hidden = privateKey.trim().split('\n').slice(3, -1).join('\n');
  return { name: `the text of ${name}`, text: hidden, mayGo };
}
