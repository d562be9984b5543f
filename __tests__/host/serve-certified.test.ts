/** What the agent in front lists while the certificate of a key ends, and its authority fails: ssh-add asks. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { serveCertified } from '../../src/host/serve-certified.ts';
import { isStoredLine, parseKeyLine } from '../../src/keys/key-line.ts';
import type { Signer } from '../../src/keys/signer.ts';
import { identityFor, startTestFront, type TestFront } from '../support/front.ts';
import { memorySigner } from '../support/memory-signer.ts';

const authority = memorySigner('nistp256');
let front: TestFront;
let ended: AbortController;
let problem: Failure | undefined;

beforeEach(async () => {
  front = await startTestFront();
  [ended, problem] = [new AbortController(), undefined];
});
afterEach(async () => {
  ended.abort();
  await front.stop();
});

const failing: Signer = {
  ...{ publicKey: authority.publicKey, algorithms: authority.algorithms },
  sign: async (...asked) => {
    if (problem) throw problem;
    return await authority.sign(...asked);
  },
};
const file = (): string => join(front.folder, 'key.pub');

async function serve(reference: string): Promise<void> {
  const line = parseKeyLine(`${reference} ca=kms:alias/ca principals=deploy valid=3s github.com`);
  if (isStoredLine(line) || !line.signing.certificate) throw new Error('a line without a certificate');
  writeFileSync(file(), '');
  const order = { line, lifetime: 60, knownHosts: [], certificateFile: file() };
  const identity = identityFor(memorySigner('ed25519'));
  const { signal } = ended;
  await serveCertified({ order, identity, authority: failing, terms: line.signing.certificate }, front, {
    env: { GITHUB_ACTIONS: 'true' },
    signal,
    ended: signal,
  });
}

/** The types of the listed keys. */
const listed = async (): Promise<string[]> => {
  const { stdout } = await front.run(['ssh-add', '-L']);
  return stdout.split('\n').flatMap((line) => /^(\S+) AAAA/.exec(line)?.[1] ?? []);
};
const certificate = 'ssh-ed25519-cert-v01@openssh.com';

/** Waits for so many certificates in the list: a busy machine may look at it later than at its change. */
async function until(count: number): Promise<void> {
  for (let list: string[] = []; list.length !== count || list.some((type) => type !== certificate);) {
    await sleep(50);
    list = await listed();
  }
}

describe('a certificate that has ended', () => {
  it('is not listed while its authority fails, and the log says why', async () => {
    await serve('new:ed25519');
    expect([...new Set(await listed())]).toEqual([certificate]);
    problem = new Failure('KMS_KEY_UNUSABLE', 'the authority is disabled', { hint: 'enable it' });
    await sleep(3_200);
    expect(await listed()).toEqual([]);
    expect(front.log.page(0, 1e6).uses.at(-1)).toMatchObject({
      ...{ outcome: 'failed', purpose: 'certificate', failure: { code: 'KMS_KEY_UNUSABLE' } },
    });
  });

  it('leaves the plain key in the list, if hosts may know that', async () => {
    await serve('kms:alias/deploy');
    // A slow machine has the next certificate by then.
    expect([...new Set(await listed())]).toEqual([certificate, 'ssh-ed25519']);
    problem = new Failure('KMS_KEY_UNUSABLE', 'the authority is disabled', { hint: 'enable it' });
    await sleep(3_200);
    expect(await listed()).toEqual(['ssh-ed25519']);
  });

  it('is made anew for a client that asks, as soon as the authority signs again', async () => {
    await serve('new:ed25519');
    problem = new Failure('NETWORK_UNREACHABLE', 'no network', { hint: 'wait' });
    await sleep(3_200);
    expect([await listed(), readFileSync(file(), 'utf8')]).toEqual([[], '']);
    problem = undefined;
    await sleep(1_100);
    expect(await listed()).toEqual([certificate]);
    const { stdout } = await front.run(['ssh-add', '-L']);
    expect(stdout).toContain(readFileSync(file(), 'utf8').split(/\s/)[1] ?? 'nothing');
  });

  it('is followed by a new one, and both are listed until it ends', async () => {
    await serve('new:ed25519');
    await until(2);
    problem = new Failure('NETWORK_UNREACHABLE', 'no network', { hint: 'wait' });
    await until(1);
  });

  it('that somebody removed from the agent stays away', async () => {
    await serve('kms:alias/deploy');
    const { stdout } = await front.run(['ssh-add', '-L']);
    writeFileSync(join(front.folder, 'listed.pub'), `${stdout.split('\n')[0] ?? ''}\n`);
    expect(await front.run(['ssh-add', '-d', join(front.folder, 'listed.pub')])).toMatchObject({ code: 0 });
    expect(await listed()).toEqual(['ssh-ed25519']);
    await sleep(3_200);
    expect(await listed()).toEqual(['ssh-ed25519']);
  });

  it('is followed by no plain key that somebody removed from the agent', async () => {
    await serve('kms:alias/deploy');
    const { stdout } = await front.run(['ssh-add', '-L']);
    const plain = stdout.split('\n').find((line) => line.startsWith('ssh-ed25519 '));
    writeFileSync(join(front.folder, 'plain.pub'), `${plain ?? ''}\n`);
    expect(await front.run(['ssh-add', '-d', join(front.folder, 'plain.pub')])).toMatchObject({ code: 0 });
    await sleep(3_200);
    expect([...new Set(await listed())]).toEqual([certificate]);
  });
});

describe('a certificate that cannot be written', () => {
  it('is explained in the log', async () => {
    await serve('new:ed25519');
    rmSync(file());
    mkdirSync(file());
    await sleep(3_200);
    await listed();
    expect(front.log.page(0, 1e6).uses.at(-1)).toMatchObject({
      ...{ outcome: 'failed', purpose: 'certificate', failure: { code: 'STATE_UNSAFE' } },
    });
  });
});
