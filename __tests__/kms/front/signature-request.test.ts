/** What the agent in front understands, and refuses, of what clients want to have signed. */
import { describe, expect, it } from '@jest/globals';
import type { Failure } from '../../../src/errors.ts';
import { string } from '../../../src/keys/wire.ts';
import { readSignatureRequest } from '../../../src/kms/front/signature-request.ts';
import { memorySigner } from '../../support/memory-signer.ts';
import {
  hostbound,
  loginData,
  session,
  signRequest,
  sshsigData,
  type Login,
  type Sshsig,
} from './requests.ts';

const { blob } = memorySigner().publicKey;
const rsa = memorySigner('rsa').publicKey.blob;
const certificate = Buffer.concat([string('ssh-ed25519-cert-v01@openssh.com'), blob]);
const hostKey = memorySigner().publicKey.blob;

const read = (data: Buffer, flags = 0): object =>
  readSignatureRequest(signRequest(blob, data, flags), 'ssh-ed25519');
const readRsa = (login: Partial<Login>, flags: number): object =>
  readSignatureRequest(signRequest(rsa, loginData({ blob: rsa, ...login }), flags), 'ssh-rsa');

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toMatchObject({ code: 'SIGNATURE_REFUSED', hint: expect.stringMatching(/./) });
    return (error as Failure).message;
  }
  return 'accepted';
}

describe('a login', () => {
  it('is read, with and without the host key in it', () => {
    const usual = { purpose: 'authentication', algorithm: 'ssh-ed25519', sessionId: session, user: 'git' };
    expect(read(loginData({ blob }))).toEqual({ ...usual, hostKey: undefined });
    expect(read(loginData({ blob, hostKey }))).toEqual({ ...usual, hostKey });
  });

  it('with a certificate names the algorithm of the certificate', () => {
    const data = loginData({ blob: certificate, algorithm: 'ssh-ed25519-cert-v01@openssh.com' });
    const request = signRequest(certificate, data);
    expect(readSignatureRequest(request, 'ssh-ed25519')).toMatchObject({ algorithm: 'ssh-ed25519' });
    const plain = signRequest(certificate, loginData({ blob: certificate }));
    expect(refusal(() => readSignatureRequest(plain, 'ssh-ed25519'))).toContain(
      'names the algorithm "ssh-ed25519"',
    );
  });

  it('with an RSA key names the algorithm that the flags ask for', () => {
    expect(readRsa({ algorithm: 'rsa-sha2-256' }, 2)).toMatchObject({ algorithm: 'rsa-sha2-256' });
    expect(readRsa({ algorithm: 'rsa-sha2-512' }, 4)).toMatchObject({ algorithm: 'rsa-sha2-512' });
    expect(refusal(() => readRsa({ algorithm: 'rsa-sha2-512' }, 2))).toContain(
      'names the algorithm "rsa-sha2-512"',
    );
    expect(refusal(() => readRsa({ algorithm: 'ssh-rsa' }, 2))).toContain('names the algorithm "ssh-rsa"');
  });

  it('by SHA-1 is refused', () => {
    expect(refusal(() => readRsa({ algorithm: 'ssh-rsa' }, 0))).toContain('SHA-1');
    expect(refusal(() => readRsa({ algorithm: 'rsa-sha2-256' }, 0))).toContain('SHA-1');
  });

  it.each([1, 3, 6, 8, 0x8000_0000])('with the flags %d is refused', (flags) => {
    expect(refusal(() => readRsa({ algorithm: 'rsa-sha2-256' }, flags))).toContain('unknown flags');
    expect(refusal(() => read(loginData({ blob }), flags))).toContain('unknown flags');
  });

  it('for another key is refused', () => {
    expect(refusal(() => read(loginData({ blob, key: hostKey })))).toContain('another key');
  });

  const others: readonly Partial<Login>[] = [
    { sessionId: Buffer.alloc(0) },
    { sessionId: Buffer.alloc(129) },
    { number: 51 },
    { user: Buffer.from('a\0b') },
    { service: 'ssh-userauth' },
    { method: 'hostbased' },
    { method: 'password' },
    { method: hostbound },
    { method: 'publickey', hostKey },
    { hostKey: Buffer.alloc(0) },
    { follows: 0 },
    { follows: 255 },
    { rest: Buffer.of(0) },
    { hostKey, rest: string('more') },
  ];
  it.each(others)('that differs in %o is refused', (difference) => {
    expect(refusal(() => read(loginData({ blob, ...difference })))).toContain('neither a login by SSH nor');
  });

  it('that is cut off is refused, at every length', () => {
    const data = loginData({ blob, hostKey });
    for (let length = 0; length < data.length; length++) {
      expect(refusal(() => read(data.subarray(0, length)))).not.toBe('accepted');
    }
  });
});

describe('a signature of git', () => {
  it('is read', () => {
    for (const hash of ['sha256', 'sha512']) {
      expect(read(sshsigData({ hash }))).toEqual({ purpose: 'git', algorithm: 'ssh-ed25519' });
    }
  });

  it.each(['file', 'Git', 'git ', '', 'git\0', 'email'])('in the namespace "%s" is refused', (namespace) => {
    expect(refusal(() => read(sshsigData({ namespace })))).toContain('namespace');
  });

  const others: readonly Sshsig[] = [
    { hash: 'sha1', digest: Buffer.alloc(20) },
    { hash: 'toString' },
    { digest: Buffer.alloc(32) },
    { reserved: 'x' },
    { rest: Buffer.of(1) },
  ];
  it.each(others)('that differs in %o is refused', (difference) => {
    expect(refusal(() => read(sshsigData(difference)))).toContain('neither a login by SSH nor');
  });
});

it('any other text is refused', () => {
  for (const text of ['', 'SSHSIG', 'hello', '-----BEGIN', 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904'])
    expect(refusal(() => read(Buffer.from(text)))).toContain('neither a login by SSH nor a signature of git');
});
