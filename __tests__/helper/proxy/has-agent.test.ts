/** Whether an agent for pushed keys is taken for one that stays. The agent is a server that lists what it is told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { hasAgent } from '../../../helper/proxy/pushed-key.ts';

const own = Buffer.from('the key that was made');
let folder: string;
let agent: Server;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pushed-'));
  const made = join(folder, 'keys', '1');
  mkdirSync(made, { recursive: true });
  writeFileSync(join(made, 'live'), '');
  const until = Date.now() / 1000 + 60;
  const key = { type: 'ssh-ed25519', blob: own.toString('base64'), until, folder: made };
  writeFileSync(join(made, 'made'), JSON.stringify(key));
});
afterEach(() => {
  agent.close();
  rmSync(folder, { recursive: true });
});

const withLength = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

it.each([
  ['the key that was made', own, true],
  ['another key alone', Buffer.from('another key'), false],
])('an agent that holds %s: whether it stays', async (_, held, expected) => {
  const list = [Buffer.from([12, 0, 0, 0, 1]), withLength(held), withLength(Buffer.alloc(0))];
  agent = createServer((connection) => {
    connection
      .on('error', () => undefined)
      .once('data', () => connection.end(withLength(Buffer.concat(list))));
  });
  await new Promise<void>((resolve) => agent.listen(join(folder, 'agent'), resolve));
  expect(await hasAgent(folder, AbortSignal.timeout(10_000))).toBe(expected);
});
