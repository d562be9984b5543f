import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { everyKind, storedForms, type NamedKey } from '../../support/stored-forms.ts';
import { itInRest, itInTurn as it } from '../../support/parts.ts';
import { columnsInTurn } from '../../support/sample.ts';
import { openStage, told, type Stage } from '../stage.ts';
import { expectToLoad } from './stored-keys.ts';

describe('a key as people store it', () => {
  let stage: Stage;
  let aws: Backend;
  let keys: NamedKey[];

  beforeAll(async () => {
    [stage, aws, keys] = await Promise.all([openStage(), startBackend(), everyKind()]);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), aws.stop()]);
  });

  it('loads in each form, each in another type and format', async () => {
    const kinds = columnsInTurn(Object.values(storedForms), keys).sample;
    expect(new Set(kinds.map(([, { name }]) => name)).size).toBe(keys.length);
    await expectToLoad(
      kinds.map(([store, key]) => ({ key, store })),
      { stage, aws },
    );
  });

  itInRest.each(Object.entries(storedForms))(
    'loads %s in each of the other types and formats',
    async (_, store) => {
      const { rest } = columnsInTurn(Object.values(storedForms), keys);
      const stored = rest.flatMap(([form, key]) => (form === store ? [{ key, store }] : []));
      await expectToLoad(stored, { stage, aws });
    },
  );

  const bad = async (value: string): Promise<{ code: string; text: string; files: number; log: string }> => {
    await aws.put('/ci/bad', value);
    const job = stage.job({ env: aws.jobEnvironment() });
    const inputs = { keys: '/ci/bad', 'aws-region': aws.region, 'role-to-assume': aws.roleArn };
    const main = await job.uses({ with: inputs });
    return { ...told(main), files: job.files().length, log: main.log };
  };
  const encrypted = async (format: 'OPENSSH' | 'PEM' | 'PKCS8'): Promise<string> =>
    (await makeSshKey({ type: 'rsa', format, passphrase: 'correct horse' })).privateKey;
  const rsaPss = (): string =>
    generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();

  const bads: [string, string, RegExp, (key: SshKey) => string | Promise<string>][] = [
    [
      'a public key',
      'KEY_NOT_PRIVATE',
      /holds a public key.*\nhint: store the private key/,
      (key) => key.publicKey,
    ],
    [
      'a certificate',
      'KEY_NOT_PRIVATE',
      /holds an SSH certificate/,
      ({ publicKey }) => publicKey.replace(/^\S+/, 'ssh-ed25519-cert-v01@openssh.com'),
    ],
    [
      "a key in PuTTY's format",
      'KEY_UNSUPPORTED',
      /hint: .*puttygen/,
      () => 'PuTTY-User-Key-File-3: ssh-ed25519\r\n',
    ],
    ['white space', 'KEY_EMPTY', /\/ci\/bad is empty/, () => ' \n\t'],
    ['an encrypted value', 'KEY_NOT_DECRYPTED', /SecureString/, () => `AQICAHh${'a'.repeat(400)}`],
    ['an OpenSSH key with a passphrase', 'KEY_ENCRYPTED', /ssh-keygen -p/, () => encrypted('OPENSSH')],
    ['a PEM key with a passphrase', 'KEY_ENCRYPTED', /ssh-keygen -p/, () => encrypted('PEM')],
    ['a PKCS#8 key with a passphrase', 'KEY_ENCRYPTED', /ssh-keygen -p/, () => encrypted('PKCS8')],
    [
      'a key that was cut off',
      'KEY_MALFORMED',
      /put-parameter/,
      ({ privateKey }) => privateKey.slice(0, 200),
    ],
    ['a key of an odd type', 'KEY_UNSUPPORTED', /ssh-keygen -t ed25519/, rsaPss],
    ['something else', 'KEY_NOT_PRIVATE', /something else/, () => 'correct horse battery staple'],
  ];
  it.each(bads)('that is %s fails by %s, and loads nothing', async (...[, code, hint, value]) => {
    const result = await bad(await value(stage.key));
    expect(result.code).toBe(code);
    expect(result.text).toMatch(/^ssm-ssh-agent: [A-Z_]+: .*\/ci\/bad/);
    expect(result.text).toMatch(hint);
    expect(result.files).toBe(0);
  });

  it('loads with its passphrase, which is stored elsewhere, and neither is seen', async () => {
    const passphrase = 'correct horse battery';
    const key = await makeSshKey({ passphrase });
    await aws.put('/ci/locked', key.privateKey);
    await aws.put('/ci/passphrase', `${passphrase}\n`);
    await aws.put('/ci/wrong', 'wrong');
    const inputs = { 'aws-region': aws.region, 'role-to-assume': aws.roleArn };
    const job = stage.job({ env: aws.jobEnvironment(), debug: true });
    const main = await job.uses({
      with: { ...inputs, keys: '/ci/locked passphrase=/ci/passphrase github.com/acme/lib' },
    });
    expect(told(main).text).toBe('');
    expect(JSON.parse(main.outputs['fingerprints'] ?? '')).toEqual([key.fingerprint]);
    expect(main.log).toContain('reading a key from Parameter Store\n');
    expect(main.masks).toContain(passphrase);
    expect(main.raw.replace(/^::add-mask::.*$/gm, '')).not.toContain(passphrase);
    const wrong = await stage
      .job({ env: aws.jobEnvironment() })
      .uses({ with: { ...inputs, keys: '/ci/locked passphrase=/ci/wrong' } });
    expect(told(wrong).code).toBe('PASSPHRASE_WRONG');
    expect(told(wrong).text).toMatch(/private key in \/ci\/locked\nhint: check which parameter/);
  });
});
