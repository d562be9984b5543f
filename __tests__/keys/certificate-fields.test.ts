/** Certificates and lines of public keys that are made here, without a program. */
import { describe, expect, it } from '@jest/globals';
import { isCertifiable, readCertificateFields } from '../../src/keys/certificate-fields.ts';
import { parseTerms } from '../../src/keys/certificate-options.ts';
import { signCertificate, type CertificateContents } from '../../src/keys/certificate-writer.ts';
import { parseCertificate } from '../../src/keys/certificate.ts';
import { blobOf } from '../../src/keys/deploy-key.ts';
import { parsePublicKeyLine } from '../../src/keys/public-key-line.ts';
import { fingerprint } from '../../src/keys/public-key.ts';
import { joinFields, mpint, string } from '../../src/keys/wire.ts';
import { failureOf } from '../support/failure-of.ts';
import { memorySigner, type SignerType } from '../support/memory-signer.ts';

const types = ['ed25519', 'rsa', 'nistp256', 'nistp384', 'nistp521'] as const satisfies SignerType[];
const signers = types.map((type) => [type, memorySigner(type)] as const);
const authority = memorySigner();
const [[, subject]] = signers as [(typeof signers)[number]];

const made = async (
  { publicKey }: Pick<typeof subject, 'publicKey'>,
  contents: Partial<CertificateContents> = {},
): ReturnType<typeof signCertificate> => {
  const all: CertificateContents = {
    ...{
      kind: 'user',
      publicKey,
      serial: 1n,
      keyId: 'id',
      principals: ['a', 'b'],
      validFrom: 1,
      validUntil: 9,
    },
    ...{ criticalOptions: [], extensions: [] },
  };
  const signal = new AbortController().signal;
  return await signCertificate({ ...all, ...contents }, { authority, nonce: Buffer.alloc(32, 1), signal });
};
const parse = (value: string): ReturnType<typeof parseCertificate> =>
  parseCertificate(value, '/ci/cert', { publicKey: subject.publicKey, resource: '/ci/key' });

describe('the fields of a certificate', () => {
  it.each(signers)('for a key of type %s are those that were signed', async (_, signer) => {
    const { blob } = await made(signer);
    const fields = readCertificateFields(blob);
    expect(fields).toMatchObject({
      ...{ type: `${signer.publicKey.type}-cert-v01@openssh.com`, kind: 1, principals: ['a', 'b'] },
      ...{ validFrom: 1n, validUntil: 9n, hasCriticalOptions: false },
    });
    expect(fields.certified).toEqual(signer.publicKey.blob);
    expect(fields.authority).toEqual(authority.publicKey.blob);
    expect(Buffer.concat([fields.signed.data, string(fields.signed.signature)])).toEqual(blob);
    expect(isCertifiable(signer.publicKey.type)).toBe(true);
  });

  it('tell critical options, hosts, and no principals', async () => {
    const criticalOptions = [{ name: 'force-command', value: 'ls' }];
    const { blob } = await made(subject, { kind: 'host', principals: [], criticalOptions });
    expect(readCertificateFields(blob)).toMatchObject({ kind: 2, principals: [], hasCriticalOptions: true });
  });

  it('are refused if there are more or fewer', async () => {
    const { blob } = await made(subject);
    expect(() => readCertificateFields(Buffer.concat([blob, Buffer.of(0)]))).toThrow(
      'more than a certificate',
    );
    expect(() => readCertificateFields(blob.subarray(0, -1))).toThrow('longer than the remaining bytes');
  });

  it.each(['ssh-ed25519', 'ssh-dss-cert-v01@openssh.com', 'ssh-ed25519-cert-v00@openssh.com', ''])(
    'are refused for the type %j',
    async (type) => {
      const { blob } = await made(subject);
      const rest = blob.subarray(string('ssh-ed25519-cert-v01@openssh.com').length);
      expect(() => readCertificateFields(Buffer.concat([string(type), rest]))).toThrow('another type');
    },
  );
});

describe('a stored certificate', () => {
  it.each<[string, (line: string) => string]>([
    ['with spaces around', (line) => `  ${line}\n\n`],
    ['with several spaces and tabs inside', (line) => line.replace(' ', ' \t  ')],
    ['in quotes', (line) => `'${line}'`],
    ['with literal line ends', (line) => `${line}\\r\\n`],
    ['with literal line ends that are escaped twice', (line) => `${line}\\\\n\\\\r`],
    [
      'in wrapped base64',
      (line) => Buffer.from(`${line}\n`).toString('base64').replace(/.{60}/g, '$&\r\n\r\n'),
    ],
    ['with its padding left out', (line) => line.replace(/=+$/, '')],
  ])('is read %s', async (_, store) => {
    const { line, blob } = await made({ publicKey: { ...subject.publicKey, comment: '' } });
    expect(parse(store(line)).blob).toEqual(blob);
  });

  it('keeps the words of its comment', async () => {
    const publicKey = { ...subject.publicKey, comment: 'two words' };
    const { line } = await made({ publicKey });
    expect(parse(line).line).toBe(line);
    expect(line).toMatch(/ two words$/);
  });

  it.each<[string, (line: string) => string, string]>([
    ['cut off', (line) => line.slice(0, 200), 'the certificate in /ci/cert is damaged or cut off'],
    [
      'with a sign inside',
      (line) => line.replace('AAAA', 'AA-AA'),
      'the certificate in /ci/cert is damaged or cut off',
    ],
    [
      'of two types',
      (line) => line.replace('ssh-ed25519', 'ssh-rsa'),
      'the certificate in /ci/cert is damaged or cut off',
    ],
    [
      'for a key in a security key',
      (line) => line.replace('ssh-ed25519', 'sk-ssh-ed25519'),
      'the certificate in /ci/cert is for a key that OpenSSH cannot load',
    ],
    ['in text', (line) => `say "${line}"`, '/ci/cert is not an SSH certificate'],
    ['that is empty', () => '\uFEFF""', '/ci/cert is empty'],
  ])('is refused if it is one %s', async (_, change, message) => {
    const { line } = await made({ publicKey: { ...subject.publicKey, comment: '' } });
    const failure = failureOf(() => parse(change(line)));
    expect([failure.message, failure.hint]).toEqual([message, expect.stringContaining('KEY-cert.pub')]);
  });

  it('is refused for a host, and for another key', async () => {
    const host = await made(subject, { kind: 'host' });
    expect(failureOf(() => parse(host.line)).message).toBe(
      'the certificate in /ci/cert is for a host, not for a user',
    );
    const other = await made(authority);
    expect(failureOf(() => parse(other.line)).message).toBe(
      `the certificate in /ci/cert is for the key ${fingerprint(authority.publicKey)}, but /ci/key holds ${fingerprint(subject.publicKey)}`,
    );
  });
});

describe('the line of a public key', () => {
  const line = subject.line.split(' ').slice(0, 2).join(' ');
  const dss = `ssh-dss ${joinFields([Buffer.from('ssh-dss'), Buffer.of(1)]).toString('base64')}`;
  const short = Buffer.concat([string('ssh-rsa'), mpint(Buffer.of(1, 0, 1)), mpint(Buffer.alloc(255, 255))]);

  it.each(signers)('of type %s is read, with its comment', (_, signer) => {
    const text = `\uFEFF\r\n\r\n# x\n  ${signer.line.split(' ').slice(0, 2).join(' \t ')} \t two \t words \r\n`;
    expect(parsePublicKeyLine(text, 'key.pub')).toEqual({ ...signer.publicKey, comment: 'two words' });
    expect(blobOf(`  ${signer.line.split(' ').slice(0, 2).join('  ')}`)).toEqual(signer.publicKey.blob);
  });

  it('is not needed to find that there is no key', () => {
    expect(blobOf('ssh-rsa')).toEqual(Buffer.alloc(0));
    expect(blobOf('')).toEqual(Buffer.alloc(0));
  });

  it.each([
    [
      '-----BEGIN RSA PRIVATE KEY-----',
      'holds a private key',
      'give its public half: the file with .pub at its end',
    ],
    [`${line}\n${line}`, 'has more than one line', 'sign one public key at a time'],
    [
      'ssh-ed25519-cert-v01@openssh.com AAAA',
      'holds a certificate',
      'give the public key that the certificate is for',
    ],
    [
      dss,
      'holds a key of a type that cannot be signed',
      'give a key of type ed25519, ecdsa or rsa, in software or in a security key',
    ],
    [
      `ssh-rsa ${short.toString('base64')}`,
      'holds an RSA key of 2040 bits',
      'give a key of at least 2048 bits, or an Ed25519 key',
    ],
    ['', 'is empty', 'give the .pub file of one key: TYPE BASE64 [COMMENT], as ssh-keygen writes it'],
    [
      'ssh-rsa',
      'holds no public key',
      'give the .pub file of one key: TYPE BASE64 [COMMENT], as ssh-keygen writes it',
    ],
  ])('is refused with a hint (%#)', (text, problem, hint) => {
    const failure = failureOf(() => parsePublicKeyLine(text, 'key.pub'));
    expect([failure.message, failure.hint]).toEqual([`key.pub ${problem}`, hint]);
  });
});

describe('what a certificate is asked to say', () => {
  const parseUser = (options: Readonly<Record<string, string>>): ReturnType<typeof parseTerms> =>
    parseTerms(new Map(Object.entries({ principals: 'a', ...options })), (name) => `ssm.${name}`, 'user');

  it.each([
    'permit-X11-forwarding',
    'permit-agent-forwarding',
    'permit-port-forwarding',
    'permit-pty',
    'permit-user-rc',
    'no-touch-required',
  ])('may be the extension %s, which has no value', (name) => {
    expect(parseUser({ extensions: ` ${name} ` }).extensions).toEqual([{ name, value: '' }]);
    expect(failureOf(() => parseUser({ extensions: `${name}=x` })).hint).toBe(
      `write ssm.extensions = ${name}`,
    );
  });

  it.each([
    ['a@b=x=y', { name: 'a@b', value: 'x=y' }],
    ['a.b-c@d.e-f', { name: 'a.b-c@d.e-f', value: '' }],
  ])('may be the extension %s', (text, extension) => {
    expect(parseUser({ extensions: text }).extensions).toEqual([extension]);
  });

  it.each(['!a@b=x', 'a@b!=x', 'a b@c=x', 'a@', '@b', 'x'])('is no unknown extension: %s', (text) => {
    const failure = failureOf(() => parseUser({ extensions: text }));
    expect(failure.message).toContain('has an unknown extension');
    expect(failure.hint).toContain('permit-user-rc, no-touch-required, or NAME@DOMAIN=VALUE');
  });

  it('may name 256 accounts, each by its whole name', () => {
    const principals = Array.from({ length: 256 }, (_, index) => `u${String(index)}`);
    expect(parseUser({ principals: principals.join(' , ') }).principals).toEqual(principals);
    expect(failureOf(() => parseUser({ principals: 'web-*' })).hint).toBe('write each name');
  });

  it('has a command, which is written as such', () => {
    expect(failureOf(() => parseUser({ 'force-command': ' ' })).hint).toBe('write the command');
  });
});
