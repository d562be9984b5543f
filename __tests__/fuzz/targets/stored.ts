/** What is read from a store or a file with some waiting: keys with a passphrase, and the tokens that a killed job noted. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readNote, renderKept } from '../../../src/action/kept-tokens.ts';
import { hostOfApi, isLocal } from '../../../src/github/api-url.ts';
import { decryptKey } from '../../../src/keys/encrypted-key.ts';
import { parsePrivateKey } from '../../../src/keys/private-key.ts';
import { anyJson, damaged, hostilePart } from '../hostile.ts';
import { holds, type AsyncTarget } from '../target.ts';

const passphrase = 'hunter2secret';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const encrypted = [
  privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }),
  privateKey.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase }),
].map(String);

const keyTarget: AsyncTarget = {
  ...{ name: 'encrypted-keys', isAsync: true, isKept: false },
  seeds: encrypted,
  near: damaged(fc.constantFrom(...encrypted)),
  secrets: () => [passphrase],
  read: async (text) => {
    parsePrivateKey(await decryptKey(text, passphrase, '/ci/key'), '/ci/key');
  },
};

const encryptedBytes = encrypted
  .slice(0, 1)
  .map((text) => Buffer.from(text.replace(/-----.*-----/g, ''), 'base64').toString('latin1'));

/** The bytes of a PKCS#8 key, in which lengths and numbers can be changed. */
const keyBytesTarget: AsyncTarget = {
  ...{ name: 'encrypted-key-bytes', isAsync: true, isKept: false },
  seeds: encryptedBytes,
  near: damaged(fc.constantFrom(...encryptedBytes)),
  secrets: () => [passphrase],
  read: async (text) => {
    const body = Buffer.from(text, 'latin1').toString('base64');
    await keyTarget.read(
      `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${body}\n-----END ENCRYPTED PRIVATE KEY-----\n`,
    );
  },
};

const kept = {
  ...{ apiUrl: 'https://api.github.com', host: 'github.com', username: 'x-access-token', daemon: 'git0' },
  ...{ digest: createHash('sha256').update('x').digest('hex'), expiresAt: 2_000_000_000 },
};
const mostly = (value: unknown): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: anyJson });
const hosts = fc.oneof(
  fc.constantFrom(
    'github.com',
    'git.test:8443',
    '[::1]:1',
    '[dead:beef]',
    '1.2.3.4',
    '1.2.3.999',
    'git.test:99999',
  ),
  hostilePart,
);
const apis = fc.oneof(
  fc.constantFrom(
    'https://api.github.com',
    'https://git.test/api/v3',
    'http://127.0.0.1:1',
    'http://[::1]/',
    'https://a:b@c.test',
  ),
  hostilePart,
);

/** All members are there, since one that is missing ends the reading. */
const record = fc
  .record({
    ...{ apiUrl: apis, host: hosts, username: mostly(kept.username) },
    ...{ daemon: mostly(kept.daemon), digest: mostly(kept.digest), expiresAt: mostly(kept.expiresAt) },
  })
  .map((members) => JSON.stringify(members));

const noteTarget: AsyncTarget = {
  ...{ name: 'noted-tokens', isAsync: true },
  seeds: [
    renderKept(kept),
    renderKept({ ...kept, apiUrl: 'https://git.test/api/v3', host: 'git.test:8443' }),
  ],
  near: fc
    .array(fc.oneof({ weight: 5, arbitrary: record }, { weight: 1, arbitrary: damaged(record) }), {
      maxLength: 3,
    })
    .map((lines) => lines.join('\n')),
  read: async (text) => {
    const folder = mkdtempSync(join(tmpdir(), 'note-'));
    try {
      const tokens = join(folder, 'tokens');
      writeFileSync(tokens, text);
      const said: string[] = [];
      for (const { apiUrl, host, daemon } of await readNote(
        { tokens },
        { warn: (line) => said.push(line) },
      )) {
        const [git, api] = [new URL(`https://${host}`).hostname, new URL(apiUrl)];
        const isOwn = git === (hostOfApi(apiUrl) ?? api.hostname) || [git, api.hostname].every(isLocal);
        holds(isOwn, `a token of ${host} for ${apiUrl}`);
        holds(/^git\d+$/.test(daemon), 'a socket elsewhere');
      }
      for (const line of said) holds(!/\p{Cc}/u.test(line), `a warning of two lines: ${line}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

export const storedTargets: readonly AsyncTarget[] = [keyTarget, keyBytesTarget, noteTarget];
