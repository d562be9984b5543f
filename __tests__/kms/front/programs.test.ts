/** The agent in front used by the real ssh-add, ssh-keygen and git, with a real ssh-agent behind it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readUses } from '../../../src/kms/front/control.ts';
import { certify } from '../../support/keygen.ts';
import { identityFor, startTestFront, type TestFront } from '../../support/front.ts';
import { memorySigner, type MemorySigner } from '../../support/memory-signer.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';

const stored = await makeSshKey({ comment: 'stored' });
const signal = AbortSignal.timeout(600_000);

let front: TestFront;
let signer: MemorySigner;

beforeEach(async () => {
  front = await startTestFront();
  signer = memorySigner();
  front.identities.add(identityFor(signer));
  front.back.run(['ssh-add', '-q', '-'], { input: stored.privateKey });
});
afterEach(() => front.stop());

const blobs = async (): Promise<string[]> => {
  const { code, stdout } = await front.run(['ssh-add', '-L']);
  // It says that there are none.
  if (code !== 0) return [];
  return stdout.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
};
const blobOf = (line: string): string => line.split(' ')[1] ?? '';

describe('ssh-add', () => {
  it('lists our keys and those of the agent behind, with their comments', async () => {
    expect((await front.output(['ssh-add', '-L'])).trim().split('\n')).toEqual([
      `${signer.line} kms:alias/test`,
      stored.publicKey,
    ]);
    expect(await front.output(['ssh-add', '-l'])).toMatch(/^256 SHA256:\S+ kms:alias\/test \(ED25519\)\n/);
  });

  it('lists a key once that both agents have', async () => {
    front.back.run(['ssh-add', '-q', '-'], { input: (await makeSshKey()).privateKey });
    const key = memorySigner('nistp256');
    front.back.run(['ssh-add', '-q', '-'], { input: key.pem });
    front.identities.add(identityFor(key));
    const listed = await blobs();
    expect(listed.length).toBe(4);
    expect(new Set(listed).size).toBe(4);
  });

  it('lists a certificate beside its key, and replaces it when it is renewed', async () => {
    const authority = await makeSshKey();
    const renewed = [0, 1].map((serial) =>
      Buffer.from(
        blobOf(certify(signer.line, authority.privateKey, ['-n', 'deploy', '-z', `${serial}`])),
        'base64',
      ),
    );
    const [first, second] = renewed as [Buffer, Buffer];
    const { blob } = signer.publicKey;
    const added = front.identities.add({ ...identityFor(signer), blobs: [first, blob] });
    expect((await blobs()).slice(0, 2)).toEqual([first, blob].map((one) => one.toString('base64')));
    added.replaceBlobs([second]);
    expect(await blobs()).toEqual([second.toString('base64'), blobOf(stored.publicKey)]);
    expect(await front.output(['ssh-add', '-l'])).toContain('(ED25519-CERT)');
  });

  it('adds a key to the agent behind', async () => {
    const { privateKey, publicKey } = await makeSshKey({ type: 'ecdsa' });
    await front.output(['ssh-add', '-q', '-t', '60', '-'], { input: privateKey });
    expect(await blobs()).toContain(blobOf(publicKey));
    expect(front.back.run(['ssh-add', '-L'])).toContain(blobOf(publicKey));
  });

  it('-D removes the keys of both', async () => {
    expect((await front.run(['ssh-add', '-D'])).stderr).toContain('All identities removed');
    expect(await blobs()).toEqual([]);
    expect(front.identities.list()).toEqual([]);
    expect(() => front.back.run(['ssh-add', '-L'])).toThrow();
  });

  it('-d removes one of ours, or one of the agent behind', async () => {
    const remove = async (line: string): Promise<void> => {
      writeFileSync(join(front.folder, 'one.pub'), `${line}\n`);
      await front.output(['ssh-add', '-q', '-d', 'one.pub']);
    };
    await remove(signer.line);
    expect(await blobs()).toEqual([blobOf(stored.publicKey)]);
    await remove(stored.publicKey);
    expect(await blobs()).toEqual([]);
  });

  it('-x locks both: no list, no signature; -X unlocks both', async () => {
    const askpass = join(front.folder, 'askpass');
    const answerWith = (passphrase: string): void => {
      writeFileSync(askpass, `#!/bin/sh\necho ${passphrase}\n`, { mode: 0o755 });
    };
    const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' };
    answerWith('open sesame');
    await front.output(['ssh-add', '-x'], { env });
    expect(await blobs()).toEqual([]);
    expect((await sign('git')).code).not.toBe(0);
    expect(() => front.back.run(['ssh-add', '-L'])).toThrow();
    await expect(readUses(front.control, { signal })).rejects.toMatchObject({
      message: 'the agent is locked',
    });
    // Locked again, and by a wrong passphrase.
    expect((await front.run(['ssh-add', '-x'], { env })).code).not.toBe(0);
    answerWith('wrong');
    expect((await front.run(['ssh-add', '-X'], { env })).code).not.toBe(0);
    expect(await blobs()).toEqual([]);
    answerWith('open sesame');
    await front.output(['ssh-add', '-X'], { env });
    expect((await blobs()).length).toBe(2);
    expect((await sign('git')).code).toBe(0);
  });

  it('finds our keys when the agent behind has ended, or was never there', async () => {
    const gone = await startTestFront({ back: join(front.folder, 'nobody') });
    const alone = await startTestFront({ back: undefined });
    for (const other of [gone, alone]) {
      other.identities.add(identityFor(signer));
      expect(await other.output(['ssh-add', '-L'])).toBe(`${signer.line} kms:alias/test\n`);
      expect((await other.run(['ssh-add', '-q', '-'], { input: stored.privateKey })).code).not.toBe(0);
      await other.output(['ssh-add', '-q', '-D']);
      expect((await other.run(['ssh-add', '-L'])).stdout).toContain('no identities');
      await other.stop();
    }
  });
});

/** ssh-keygen -Y sign, with the key in the agent. */
async function sign(namespace: string, line = signer.line) {
  writeFileSync(join(front.folder, 'signing.pub'), `${line}\n`);
  return await front.run(['ssh-keygen', '-q', '-Y', 'sign', '-n', namespace, '-f', 'signing.pub'], {
    input: 'text',
  });
}

describe('ssh-keygen -Y sign', () => {
  it.each(['ed25519', 'rsa', 'nistp256', 'nistp384', 'nistp521'] as const)(
    'signs in the namespace git, and in no other one, with a key of type %s',
    async (type) => {
      const key = memorySigner(type);
      front.identities.add(identityFor(key));
      const { stdout } = await sign('git', key.line);
      writeFileSync(join(front.folder, 'text.sig'), stdout);
      const check = ['ssh-keygen', '-Y', 'check-novalidate', '-n', 'git', '-s', 'text.sig'];
      expect(await front.output(check, { input: 'text' })).toContain('Good "git" signature');
      for (const namespace of ['file', 'email', 'git@']) {
        expect((await sign(namespace, key.line)).code).not.toBe(0);
      }
      expect(key.asked()).toBe(1);
      const { uses, totals } = await readUses(front.control, { signal });
      expect(totals).toEqual({ signed: 1, refused: 3, failed: 0 });
      expect(uses[0]).toMatchObject({
        outcome: 'signed',
        purpose: 'git',
        comment: 'kms:alias/test',
        number: 1,
      });
      expect(uses[1]).toMatchObject({ outcome: 'refused', failure: { code: 'SIGNATURE_REFUSED' } });
    },
  );

  it('signs everything with the keys of the agent behind', async () => {
    expect((await sign('file', stored.publicKey)).stdout).toContain('BEGIN SSH SIGNATURE');
  });
});

describe('git', () => {
  it('signs commits and tags, which allowed_signers verifies', async () => {
    writeFileSync(join(front.folder, 'signing.pub'), `${signer.line}\n`);
    writeFileSync(join(front.folder, 'allowed_signers'), `me@example.com namespaces="git" ${signer.line}\n`);
    const settings = [
      ...['user.name=me', 'user.email=me@example.com', 'gpg.format=ssh', 'user.signingKey=../signing.pub'],
      'gpg.ssh.allowedSignersFile=../allowed_signers',
    ];
    const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
    const git = (...args: readonly string[]) =>
      front.run(['git', '-C', 'work', ...settings.flatMap((setting) => ['-c', setting]), ...args], { env });
    await front.output(['git', 'init', '-q', 'work'], { env });
    expect(await git('commit', '-q', '-S', '--allow-empty', '-m', 'signed')).toMatchObject({ code: 0 });
    expect(await git('tag', '-s', '-m', 'signed', 'v1')).toMatchObject({ code: 0 });
    expect((await git('verify-commit', 'HEAD')).stderr).toContain('Good "git" signature for me@example.com');
    expect((await git('verify-tag', 'v1')).stderr).toContain('Good "git" signature for me@example.com');
    expect(signer.asked()).toBe(2);
  });
});
