/** Texts of keys and certificates, and known hosts. Keys are made at run time. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { checkKey } from '../../../src/keys/checked-key.ts';
import { parseCertificate } from '../../../src/keys/certificate.ts';
import { generateKey } from '../../../src/keys/generate-key.ts';
import { memorySigner } from '../../../src/keys/memory-signer.ts';
import { newCertificate } from '../../../src/keys/new-certificate.ts';
import { writeOpensshKey } from '../../../src/keys/openssh-key.ts';
import { linesToMask, parsePrivateKey } from '../../../src/keys/private-key.ts';
import { parsePublicKeyLine } from '../../../src/keys/public-key-line.ts';
import { authorizedKeysLine } from '../../../src/keys/public-key.ts';
import { readSpki } from '../../../src/keys/spki.ts';
import { invalidity, readHostCertificate } from '../../../src/ssh/host-certificate.ts';
import { checkableKeysFor, hostKeysFor, revokedKeysFor } from '../../../src/ssh/host-keys.ts';
import { renderKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { hostsOf } from '../../../src/ssh/repository-hosts.ts';
import { damaged, rowOf } from '../hostile.ts';
import { holds, type Target } from '../target.ts';

const ed25519 = await generateKey({ type: 'ed25519', bits: 256 }, 'me@host');
const ecdsa = await generateKey({ type: 'ecdsa', bits: 256 }, 'ci');
const pem = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const pkcs8 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const opensshTexts = [ed25519, ecdsa].map(writeOpensshKey);
const privateTexts = [
  ...[...opensshTexts, pem.privateKey, pkcs8],
  ...[...opensshTexts, pkcs8].map((text) => text.trim().replaceAll('\n', '\\n')),
  ...[...opensshTexts, pkcs8].map((text) => Buffer.from(text).toString('base64')),
  opensshTexts[0]?.replace(/-----.*-----/g, '').trim() ?? '',
];
const otherTexts = [
  ...[
    'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n',
    '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ==',
  ],
  ...[
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----',
  ],
  ...[
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----',
    '{"private_key": "x"}',
  ],
  ...['---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----', 'AQICAHh', 'ssh-rsa AAAA', '-----BEGIN CERTIFICATE-----'],
];

/** Pieces of 16 characters of the body: a message with one shows a part of the key. */
function piecesOf(text: string): string[] {
  const body = text.replace(/-----[^-]*-----/g, '').replace(/\s|\\n/g, '');
  return body.match(/[A-Za-z0-9+/]{16}/g) ?? [];
}

const privateKeyTarget: Target = {
  name: 'private-keys',
  seeds: [...privateTexts, ...otherTexts],
  near: damaged(fc.constantFrom(...privateTexts, ...otherTexts)),
  isKept: false,
  secrets: (text) => piecesOf(text).slice(0, 200),
  read: (text) => {
    for (const line of linesToMask(text)) holds(!/[\r\n]/.test(line), 'a mask of two lines');
    checkComment(() => checkKey(text, '/ci/key').publicKey);
    checkComment(() => parsePrivateKey(text, '/ci/key').publicKey);
    const key = parsePrivateKey(text, '/ci/key');
    const again = parsePrivateKey(writeOpensshKey(key), '/ci/key');
    holds(again.publicKey.blob.equals(key.publicKey.blob), 'another key by its text');
  },
};

function checkComment(read: () => ReturnType<typeof parsePrivateKey>['publicKey'] | undefined): void {
  const key = read();
  if (key) holds(!/[\p{Cc}\u2028]/u.test(authorizedKeysLine(key)), 'a public key of two lines');
}

/** The bytes of an OpenSSH key, in which lengths and counts can be changed. */
const keyBytes = opensshTexts.map((text) =>
  Buffer.from(text.replace(/-----.*-----/g, ''), 'base64').toString('latin1'),
);

const keyBytesTarget: Target = {
  name: 'private-key-bytes',
  seeds: keyBytes,
  near: damaged(fc.constantFrom(...keyBytes)),
  isKept: false,
  secrets: (text) => privateKeyTarget.secrets?.(Buffer.from(text, 'latin1').toString('base64')) ?? [],
  read: (text) => {
    const body = Buffer.from(text, 'latin1').toString('base64');
    privateKeyTarget.read(
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`,
    );
  },
};

const surroundings = { now: Date.now(), randomBytes, signal: new AbortController().signal };
const terms = {
  principals: ['git.test', '*.test'],
  valid: 3600,
  extensions: [{ name: 'permit-pty', value: '' }],
};
const certificates = await Promise.all(
  (['user', 'host'] as const).map(async (kind) => {
    const order = {
      kind,
      publicKey: ed25519.publicKey,
      authority: memorySigner(ecdsa),
      terms,
      keyId: 'run 1',
    };
    return (await newCertificate(order, surroundings)).certificate;
  }),
);
const certificateLines = certificates.map(({ line }) => line);

const certificateTarget: Target = {
  name: 'certificates',
  seeds: [...certificateLines, ...certificateLines.map((line) => Buffer.from(line).toString('base64'))],
  near: damaged(fc.constantFrom(...certificateLines)),
  isKept: false,
  read: (text) => {
    const { line } = parseCertificate(text, '/ci/cert', {
      publicKey: ed25519.publicKey,
      resource: '/ci/key',
    });
    holds(!/[\p{Cc}\u2028]/u.test(line), 'a certificate of two lines');
  },
};

const certificateBytes = certificates.map(({ blob }) => blob.toString('latin1'));

const certificateBytesTarget: Target = {
  name: 'certificate-bytes',
  seeds: certificateBytes,
  near: damaged(fc.constantFrom(...certificateBytes)),
  isKept: false,
  read: (text) => {
    const blob = Buffer.from(text, 'latin1');
    const certificate = readHostCertificate(blob);
    if (certificate)
      invalidity(certificate, { host: '[git.test]:22', now: Math.floor(surroundings.now / 1000) });
    const line = `${blob.subarray(4, 36).toString('latin1')} ${blob.toString('base64')}`;
    parseCertificate(line, '/c', { publicKey: ed25519.publicKey, resource: '/k' });
  },
};

const publicLines = [ed25519, ecdsa].map(({ publicKey }) => authorizedKeysLine(publicKey));

const publicKeyTarget: Target = {
  name: 'public-keys',
  seeds: publicLines,
  near: damaged(fc.constantFrom(...publicLines, ...certificateLines)),
  isKept: false,
  read: (text) => {
    holds(
      !/[\p{Cc}\u2028]/u.test(authorizedKeysLine(parsePublicKeyLine(text, 'x.pub'))),
      'a key of two lines',
    );
  },
};

const spkiTarget: Target = {
  name: 'kms-public-keys',
  seeds: [pem.publicKey.toString('latin1')],
  near: damaged(fc.constant(pem.publicKey.toString('latin1'))),
  isKept: false,
  read: (text) => {
    readSpki(Buffer.from(text, 'latin1'));
  },
};

const keyWords = publicLines.map((line) => line.split(' ').slice(0, 2).join(' '));
const hostWords = [
  ...[
    'git.test',
    '[git.test]:2222',
    '*.test',
    '!a.test,*.test',
    '|1|c2FsdA==|aGFzaA==',
    '@revoked',
    '@cert-authority',
  ],
  ...[...keyWords, '\n', ' ', '# x', 'git.test,10.0.0.1'],
];
const knownLines = keyWords.flatMap((key) => [`git.test ${key}`, `@cert-authority *.test ${key} comment`]);

const knownHostsTarget: Target = {
  name: 'known-hosts',
  seeds: [...knownLines, knownLines.join('\n')],
  near: fc.oneof(
    rowOf(hostWords, ' '),
    damaged(fc.constantFrom(...knownLines)),
    damaged(fc.constant(knownLines.join('\n'))),
  ),
  isKept: false,
  read: (text) => {
    for (const host of ['git.test', '[git.test]:2222']) {
      hostKeysFor(host, text);
      checkableKeysFor(host, text);
      revokedKeysFor(host, text);
    }
    hostsOf([{ host: '*.test', path: '' }], text);
    const file = renderKnownHosts(text);
    holds(renderKnownHosts(file).startsWith(file.trimEnd()), 'other lines when they are read again');
  },
};

export const keyTargets: readonly Target[] = [
  ...[privateKeyTarget, keyBytesTarget, certificateTarget, certificateBytesTarget],
  ...[publicKeyTarget, spkiTarget, knownHostsTarget],
];
