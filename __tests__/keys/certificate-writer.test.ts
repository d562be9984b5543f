import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parseCertificate } from '../../src/keys/certificate.ts';
import {
  certificateType,
  signCertificate,
  type CertificateContents,
  type CertificateOption,
} from '../../src/keys/certificate-writer.ts';
import { memorySigner } from '../../src/keys/memory-signer.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { parsePublicKeyLine } from '../../src/keys/public-key-line.ts';
import type { Signer } from '../../src/keys/signer.ts';
import { string, WireReader } from '../../src/keys/wire.ts';
import { certify, listCertificate } from '../support/keygen.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';

const kinds = [
  { type: 'ed25519' },
  { type: 'ecdsa', bits: 256 },
  { type: 'ecdsa', bits: 384 },
  { type: 'ecdsa', bits: 521 },
  { type: 'rsa' },
] as const;
const { signal } = new AbortController();
const [from, until] = [Date.UTC(2030, 0, 1) / 1000, Date.UTC(2031, 0, 1) / 1000];
const flag = (name: string): CertificateOption => ({ name, value: '' });
const user = {
  ...{ kind: 'user', serial: 2n ** 64n - 1n, keyId: 'github:acme/app:run 1:attempt 2' },
  ...{ principals: ['web', 'deploy'], validFrom: from, validUntil: until },
  criticalOptions: [
    { name: 'source-address', value: '10.0.0.0/8,2001:db8::/32' },
    { name: 'force-command', value: '/opt/deploy --now' },
  ],
  extensions: [
    flag('permit-pty'),
    { name: 'login@github.com', value: 'octocat' },
    flag('permit-X11-forwarding'),
  ],
} as const satisfies Partial<CertificateContents>;
const host = {
  ...{ kind: 'host', serial: 0n, keyId: 'web-1', principals: ['web-1.example.com'] },
  ...{ validFrom: from, validUntil: until, criticalOptions: [], extensions: [] },
} as const satisfies Partial<CertificateContents>;

/** The options of ssh-keygen for `user` and `host`. */
const keygenOptions = {
  user: [
    ...['-I', user.keyId, '-n', 'web,deploy', '-z', String(user.serial), '-O', 'clear', '-O', 'permit-pty'],
    ...['-O', 'force-command=/opt/deploy --now', '-O', 'source-address=10.0.0.0/8,2001:db8::/32'],
    ...['-O', 'extension:login@github.com=octocat', '-O', 'permit-x11-forwarding'],
  ],
  host: ['-h', '-I', 'web-1', '-n', 'web-1.example.com'],
};
const validity = ['-V', '20300101000000Z:20310101000000Z'];

/** The text that is signed, without the nonce. */
function fieldsOf(line: string): { readonly text: string; readonly algorithm: string } {
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  const reader = new WireReader(blob);
  const type = reader.string();
  reader.string();
  const { rest } = reader;
  const signature = signatureOf(blob);
  const text = Buffer.concat([string(type), rest.subarray(0, rest.length - 4 - signature.length)]);
  return { text: text.toString('hex'), algorithm: new WireReader(signature).string().toString() };
}

/** The last field. */
function signatureOf(blob: Buffer): Buffer {
  const reader = new WireReader(blob);
  const type = reader.string().toString();
  const count = type.startsWith('ssh-ed25519') ? 1 : 2;
  for (let left = 1 + count; left > 0; left--) reader.string();
  reader.uint64();
  reader.uint32();
  for (let left = 2; left > 0; left--) reader.string();
  for (let left = 2; left > 0; left--) reader.uint64();
  for (let left = 4; left > 0; left--) reader.string();
  const signature = reader.string();
  expect(reader.rest.length).toBe(0);
  return signature;
}

describe('a certificate of our own', () => {
  let subject: SshKey;
  let authority: SshKey;
  const signerOf = ({ privateKey }: SshKey): Signer => memorySigner(parsePrivateKey(privateKey, '/ci/ca'));
  const sign = async (
    { publicKey }: SshKey,
    by: Signer,
    contents: Omit<CertificateContents, 'publicKey'>,
  ): Promise<string> => {
    const key = parsePublicKeyLine(publicKey, 'key.pub');
    const signing = { authority: by, nonce: randomBytes(32), signal };
    return (await signCertificate({ ...contents, publicKey: key }, signing)).line;
  };

  beforeAll(async () => {
    [subject, authority] = await Promise.all([makeSshKey({ comment: 'octo@acme' }), makeSshKey()]);
  });

  it.each(kinds)("has ssh-keygen's bytes for a key of type %j, except nonce and signature", async (kind) => {
    const key = await makeSshKey({ ...kind, comment: 'octo@acme' });
    for (const contents of [user, host]) {
      const ours = await sign(key, signerOf(authority), contents);
      const theirs = certify(key.publicKey, authority.privateKey, [
        ...keygenOptions[contents.kind],
        ...validity,
      ]);
      expect(fieldsOf(ours)).toEqual(fieldsOf(theirs));
      expect(ours.split(' ')[2]).toBe('octo@acme');
    }
  });

  it.each(kinds)('by an authority of type %j is what ssh-keygen reads and verifies', async (kind) => {
    const by = await makeSshKey(kind);
    const ours = await sign(subject, signerOf(by), user);
    const theirs = certify(subject.publicKey, by.privateKey, [...keygenOptions.user, ...validity]);
    expect(fieldsOf(ours)).toEqual(fieldsOf(theirs));
    const { publicKey } = parsePrivateKey(subject.privateKey, '/ci/key');
    expect(parseCertificate(ours, '/ci/cert', { publicKey, resource: '/ci/key' })).toMatchObject({
      line: ours,
      validFrom: from,
      validUntil: until,
    });
    // ssh-keygen verifies the signature before it prints anything.
    expect(listCertificate(ours)).toBe(listCertificate(theirs));
    expect(() => listCertificate(damaged(ours))).toThrow(/invalid key: /);
  });

  it('by an RSA authority that cannot sign with SHA-512 has a signature with SHA-256', async () => {
    const by = signerOf(await makeSshKey({ type: 'rsa' }));
    const line = await sign(subject, { ...by, algorithms: ['rsa-sha2-256'] }, user);
    expect(fieldsOf(line).algorithm).toBe('rsa-sha2-256');
    expect(listCertificate(line)).toContain('(using rsa-sha2-256)');
  });

  it('sorts its options by their bytes, as ssh-keygen does', async () => {
    const options = [
      '-O',
      'clear',
      '-O',
      'permit-x11-forwarding',
      '-O',
      'permit-pty',
      '-O',
      'no-touch-required',
    ];
    const theirs = certify(subject.publicKey, authority.privateKey, [
      ...['-I', 'web-1', '-n', 'web-1.example.com', ...validity],
      ...[...options, '-O', 'extension:Zone@acme.test=1', '-O', 'extension:a@acme.test'],
    ]);
    const extensions = [
      ...[flag('a@acme.test'), flag('permit-pty'), flag('no-touch-required')],
      ...[flag('permit-X11-forwarding'), { name: 'Zone@acme.test', value: '1' }],
    ];
    const ours = await sign(subject, signerOf(authority), { ...host, kind: 'user', extensions });
    expect(fieldsOf(ours).text).toBe(fieldsOf(theirs).text);
  });

  it('has a new nonce each time', async () => {
    const by = signerOf(authority);
    expect(await sign(subject, by, user)).not.toBe(await sign(subject, by, user));
  });

  it('is not made of a signature by another algorithm', async () => {
    const by = signerOf(authority);
    const odd: Signer = {
      ...by,
      sign: () => Promise.resolve(Buffer.concat([string('ssh-rsa'), string('x')])),
    };
    await expect(sign(subject, odd, user)).rejects.toThrow('another algorithm');
  });

  it('for a key in a security key has the type that OpenSSH knows', () => {
    expect(certificateType('sk-ssh-ed25519@openssh.com')).toBe('sk-ssh-ed25519-cert-v01@openssh.com');
    expect(certificateType('ssh-rsa')).toBe('ssh-rsa-cert-v01@openssh.com');
  });
});

/** One bit of the signature is another one. */
function damaged(line: string): string {
  const [type = '', base64 = ''] = line.split(' ');
  const blob = Buffer.from(base64, 'base64');
  const last = blob.length - 5;
  blob[last] = (blob[last] ?? 0) ^ 1;
  return `${type} ${blob.toString('base64')}`;
}
