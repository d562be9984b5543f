/** Private key text goes from keygen, put and rotate to AWS and to the socket of an agent, and nowhere else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { itWith } from '../support/needs.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { unescaped } from '../support/unescaped.ts';
import { launcher, openEc2Host, type Ec2Host } from './ec2-host.ts';
import { storedParameter, writer } from './key-writer.ts';
import { useRotateStage } from './rotate-stage.ts';

describe('the text of a private key', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  async function trace(args: readonly string[]): Promise<string[]> {
    const file = join(host.folder, 'trace');
    const command = [...traced(file), launcher, ...args];
    const { exitCode, stderr } = await host.start(command, { env: writer(host) }).ended;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('stored /ci/deploy-key')]);
    return linesOf(file);
  }

  for (const verbose of [[], ['--verbose']]) {
    itWith('strace')(
      `leaves keygen by the socket to AWS only (${verbose.join() || 'as usual'})`,
      async () => {
        const lines = await trace(['keygen', '/ci/deploy-key', ...verbose]);
        expectOnlyToAws(lines, storedParameter(host, '/ci/deploy-key') ?? '', host);
      },
    );

    itWith('strace')(`leaves put by the socket to AWS only (${verbose.join() || 'as usual'})`, async () => {
      const { privateKey } = await makeSshKey();
      const file = join(host.folder, 'key');
      writeFileSync(file, privateKey, { mode: 0o600 });
      const lines = await trace(['put', '/ci/deploy-key', file, ...verbose]);
      expect(storedParameter(host, '/ci/deploy-key')).toBe(privateKey);
      expectOnlyToAws(lines, privateKey, host);
    });
  }
});

describe('the text of the new and the old private key', () => {
  const stage = useRotateStage();

  itWith('strace')('leaves rotate by the sockets to AWS and to an agent only', async () => {
    const file = join(stage.host.folder, 'trace');
    for (const more of [['--verbose'], ['--json', '--finish']]) {
      const { exitCode } = await stage.rotateIn([...traced(file), launcher], ...more);
      expect(exitCode).toBe(0);
      const lines = linesOf(file);
      const { privateKey } = stage;
      const sent = leaving(lines, privateKey);
      expect(sent.length).toBeGreaterThan(0);
      expect(sent.filter((line) => !toAws(stage.host).test(line) && !toAgent.test(line))).toEqual([]);
      expect(leaving(lines, stage.old.privateKey).filter((line) => !toAgent.test(line))).toEqual([]);
      expect(lines.some((line) => line.includes('execve('))).toBe(true);
    }
  });
});

/** The calls by which bytes leave a process, and the programs that are started, with their environment. */
function traced(file: string): string[] {
  const calls = 'execve,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg';
  const format = ['-f', '-q', '-v', '-yy', '-xx', '-s', '100000'];
  return ['strace', ...format, '-e', `trace=${calls}`, '-o', file];
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'latin1').split('\n').map(unescaped);
}

/** Text that only the private half has: its lines after the public half, and its seed as bytes, hex and base64. */
function secretForms(text: string): string[] {
  const [, pair] = parsePrivateKey(text, '').fields;
  const seed = pair?.subarray(0, 32) ?? Buffer.alloc(0);
  const hidden = text.trim().split('\n').slice(3, -1);
  return [...hidden, seed.toString('latin1'), seed.toString('hex'), seed.toString('base64url')];
}

/** The lines of a trace with the private half of a key. */
function leaving(lines: readonly string[], privateKey: string): string[] {
  const forms = secretForms(privateKey);
  return lines.filter((line) => forms.some((form) => line.includes(form)));
}

const sending = String.raw`^\d+ +(write|writev|send\w+)\(\d+<`;
const toAgent = new RegExp(`${sending}UNIX-STREAM:\\[`);

function toAws({ world }: Ec2Host): RegExp {
  const { port } = new URL(world.aws.endpoint);
  return new RegExp(`${sending}TCP:\\[[^\\]]*->127\\.0\\.0\\.1:${port}\\]>`);
}

function expectOnlyToAws(lines: readonly string[], text: string, host: Ec2Host): void {
  const left = leaving(lines, text);
  expect(left.length).toBeGreaterThan(0);
  expect(left.filter((line) => !toAws(host).test(line))).toEqual([]);
  expect(lines.some((line) => line.includes('execve('))).toBe(true);
}
