/** A key that others can use, and the messages of programs that may not print. */
import { describe, expect, it } from '@jest/globals';
import { identityOf, servedKey } from '../../src/host/usable-key.ts';
import { muted, warningsOnly } from '../../src/host/voice.ts';
import { isStoredLine, parseKeyLine } from '../../src/keys/key-line.ts';

const line = parseKeyLine('kms:alias/deploy github.com/acme');
if (isStoredLine(line)) throw new Error('not a key in KMS');
const publicKey = { type: 'ssh-ed25519', blob: Buffer.from('blob'), comment: 'me' };
const served = { publicKey, arn: 'arn:a', version: '3' };
const usable = {
  ...{ publicKey, repositories: [{ host: 'github.com', path: 'acme' }] },
  secret: { reference: line.reference, version: '3', arn: 'arn:a' },
};

describe('a key that the agent in front serves', () => {
  const key = servedKey(line, served);
  const certified = servedKey(line, { ...served, certificate: 'cert AAAA' });

  it('has its repositories, its fingerprint and its place', () => {
    expect(key).toStrictEqual({ ...usable, fingerprint: key.fingerprint });
    expect(key.fingerprint).toMatch(/^SHA256:[\w+/]{43}$/);
    expect(certified).toStrictEqual({ ...key, certificate: { line: 'cert AAAA' } });
  });

  it.each([
    [key, false, { publicKey: 'ssh-ed25519 YmxvYg== me', certificate: undefined }],
    [key, true, { publicKey: 'ssh-ed25519 YmxvYg== me', certificate: undefined }],
    [certified, false, { publicKey: 'ssh-ed25519 YmxvYg== me', certificate: 'cert AAAA' }],
    [certified, true, { publicKey: 'cert AAAA' }],
  ])('is shown to ssh with its certificate, or by the certificate alone: %#', (one, alone, expected) => {
    expect(identityOf(one, alone)).toStrictEqual(expected);
  });
});

describe('a voice', () => {
  it('that only warns prints no progress and masks nothing', () => {
    const warned: string[] = [];
    const voice = warningsOnly((text) => warned.push(text));
    voice.info('progress');
    voice.mask('secret');
    voice.warn('careful');
    expect(warned).toEqual(['careful']);
  });

  it('that is muted keeps the rest', () => {
    const said: string[] = [];
    const voice = muted({ info: (text: string) => said.push(text), warn: (text: string) => said.push(text) });
    voice.info('progress');
    voice.warn('careful');
    expect(said).toEqual(['careful']);
  });
});
