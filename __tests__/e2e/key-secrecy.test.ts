/** Private key text goes from keygen and put to AWS, and nowhere else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { itWith } from '../support/needs.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { unescaped } from '../support/unescaped.ts';
import { launcher, openEc2Host, type Ec2Host } from './ec2-host.ts';
import { storedParameter, writer } from './key-writer.ts';

describe('the text of a private key', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  /** The calls by which bytes leave a process, and the programs that are started, with their environment. */
  async function trace(args: readonly string[], input = ''): Promise<string[]> {
    const calls = 'execve,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg';
    const file = join(host.folder, 'trace');
    const strace = [
      'strace',
      '-f',
      '-q',
      '-v',
      '-yy',
      '-xx',
      '-s',
      '100000',
      '-e',
      `trace=${calls}`,
      '-o',
      file,
    ];
    const { exitCode, stderr } = await host.start([...strace, launcher, ...args], {
      env: writer(host),
      input,
    }).ended;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('stored /ci/deploy-key')]);
    return readFileSync(file, 'latin1').split('\n').map(unescaped);
  }

  /** Text that only the private half has: its lines after the public half, and its seed as bytes, hex and base64. */
  function secretForms(text: string): string[] {
    const [, pair] = parsePrivateKey(text, '').fields;
    const seed = pair?.subarray(0, 32) ?? Buffer.alloc(0);
    const hidden = text.trim().split('\n').slice(3, -1);
    return [...hidden, seed.toString('latin1'), seed.toString('hex'), seed.toString('base64url')];
  }

  for (const verbose of [[], ['--verbose']]) {
    itWith('strace')(
      `leaves keygen by the socket to AWS only (${verbose.join() || 'as usual'})`,
      async () => {
        const lines = await trace(['keygen', '/ci/deploy-key', ...verbose]);
        expectOnlyToAws(lines, storedParameter(host, '/ci/deploy-key') ?? '');
      },
    );

    itWith('strace')(`leaves put by the socket to AWS only (${verbose.join() || 'as usual'})`, async () => {
      const { privateKey } = await makeSshKey();
      const file = join(host.folder, 'key');
      writeFileSync(file, privateKey, { mode: 0o600 });
      const lines = await trace(['put', '/ci/deploy-key', file, ...verbose]);
      expect(storedParameter(host, '/ci/deploy-key')).toBe(privateKey);
      expectOnlyToAws(lines, privateKey);
    });
  }

  function expectOnlyToAws(lines: readonly string[], text: string): void {
    const forms = secretForms(text);
    const left = lines.filter((line) => forms.some((form) => line.includes(form)));
    const port = new URL(host.world.aws.endpoint).port;
    expect(left.length).toBeGreaterThan(0);
    expect(
      left.filter(
        (line) =>
          !new RegExp(
            `^\\d+ +(write|writev|send\\w+)\\(\\d+<TCP:\\[[^\\]]*->127\\.0\\.0\\.1:${port}\\]>`,
          ).test(line),
      ),
    ).toEqual([]);
    expect(lines.some((line) => line.includes('execve('))).toBe(true);
  }
});
