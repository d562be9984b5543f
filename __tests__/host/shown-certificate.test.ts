/** Which certificates clients see while the file of the newest one cannot be written: ssh reads the one before in it. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Failure } from '../../src/errors.ts';
import { ShownCertificate } from '../../src/host/shown-certificate.ts';
import type { Certificate } from '../../src/keys/certificate.ts';
import { isStoredLine, parseKeyLine } from '../../src/keys/key-line.ts';
import { newCertificate } from '../../src/keys/new-certificate.ts';
import { Identities } from '../../src/kms/front/identities.ts';
import { identityFor } from '../support/front.ts';
import { memorySigner } from '../support/memory-signer.ts';

const [signer, authority] = [memorySigner('ed25519'), memorySigner('nistp256')];
const overlap = 300;

let [folder, file] = ['', ''];
let ended: AbortController;
let failures: Failure[];
let identities: Identities;
let shown: ShownCertificate;
let [first, second] = [] as unknown as [Certificate, Certificate];

/** @param valid seconds */
async function certificateFor(valid: number): Promise<Certificate> {
  const order = { kind: 'user', publicKey: signer.publicKey, authority, keyId: 'test' } as const;
  const terms = { ...{ principals: ['deploy'], extensions: [] }, valid };
  const signal = new AbortController().signal;
  return (await newCertificate({ ...order, terms }, { now: Date.now(), randomBytes, signal })).certificate;
}

async function show(valid: number): Promise<void> {
  const line = parseKeyLine('new:ed25519 ca=kms:alias/ca principals=deploy github.com');
  if (isStoredLine(line)) throw new Error('a line of a stored key');
  [first, second] = [await certificateFor(valid), await certificateFor(3600)];
  const onFailed = (failure: Failure): void => void failures.push(failure);
  const order = { line, certificateFile: file };
  shown = new ShownCertificate(
    { order, identity: identityFor(signer) },
    { ended: ended.signal, onFailed, overlap },
  );
  shown.begin(first, identities, undefined);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shown-'));
  file = join(folder, 'key.pub');
  [ended, failures] = [new AbortController(), []];
  identities = new Identities({ now: () => 0, onEmpty: () => undefined });
});
afterEach(() => {
  ended.abort();
  rmSync(folder, { recursive: true });
});

const listed = (): Buffer[] => identities.list().map(({ blob }) => blob);
/** A folder in its place is as good as a full disk. */
const fill = (): string | undefined => mkdirSync(file, { recursive: true });
const written = (): string => readFileSync(file, 'utf8').trim();

describe('a new certificate', () => {
  it('is in the file at once, and the one before is listed for a moment', async () => {
    await show(3600);
    await shown.replace(second);
    expect([written(), listed()]).toEqual([second.line, [second.blob, first.blob]]);
    await sleep(2 * overlap);
    expect([listed(), failures]).toEqual([[second.blob], []]);
  });

  it('that cannot be written is listed after the time of both, with the one that ssh reads', async () => {
    await show(3600);
    fill();
    await shown.replace(second);
    await sleep(2 * overlap);
    await shown.replace(second);
    expect(listed()).toEqual([second.blob, first.blob]);
    expect(failures).toMatchObject([{ code: 'STATE_UNSAFE' }]);
  });

  it('is written when a client lists the keys, as soon as there is room', async () => {
    await show(3600);
    fill();
    await shown.replace(second);
    rmdirSync(file);
    await shown.replace(second);
    expect(written()).toBe(second.line);
    await sleep(2 * overlap);
    expect(listed()).toEqual([second.blob]);
  });

  it('is written although no client lists the keys', async () => {
    await show(3600);
    fill();
    await shown.replace(second);
    rmdirSync(file);
    while (!existsSync(file)) await sleep(100);
    expect(written()).toBe(second.line);
  });

  it('that cannot be written leaves the one before only until it ends', async () => {
    await show(1);
    fill();
    await shown.replace(second);
    await sleep(1_100);
    await shown.replace(second);
    expect(listed()).toEqual([second.blob]);
  });

  it('of a key that was removed is not written', async () => {
    await show(3600);
    fill();
    await shown.replace(second);
    identities.removeAll();
    rmdirSync(file);
    await shown.replace(second);
    expect(written).toThrow('ENOENT');
  });
});
