/** The process of the agent in front: signals, its inspector, other users, its memory. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeAllIdentities } from '../../../src/ssh/agent-protocol.ts';
import { askFrontSocket, runProgram } from '../../support/front.ts';
import { itWhere } from '../../support/needs.ts';
import { itInRest } from '../../support/parts.ts';
import { measureFront } from './memory.ts';

const program = join(import.meta.dirname, '../../../bench/front-process.ts');

let folder: string;
let child: ChildProcess;
let told = '';

/** @param args of Node */
async function start(...args: readonly string[]): Promise<void> {
  told = '';
  child = spawn(process.execPath, args, { stdio: 'pipe', env: {} });
  child.stderr?.on('data', (text: Buffer) => (told += text.toString()));
  if (child.stdout) await once(child.stdout, 'data');
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'process-'));
  await start('--inspect-port=0', program, folder);
});
afterEach(() => {
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const env = (): Record<string, string> => ({ SSH_AUTH_SOCK: join(folder, 'agent') });

describe('the process', () => {
  it('does not open its inspector at SIGUSR1, as a Node without a listener does', async () => {
    child.kill('SIGUSR1');
    await sleep(500);
    expect(told).toBe('');
    expect((await runProgram(['ssh-add', '-L'], { env: env() })).stdout).toContain('ssh-ed25519');
    child.kill('SIGKILL');
    await start('--inspect-port=0', '-e', 'console.log(); setInterval(() => undefined, 1e9)');
    child.kill('SIGUSR1');
    for (let tries = 0; tries < 100 && told === ''; tries++) await sleep(50);
    expect(told).toContain('Debugger listening on ws://127.0.0.1:');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends at %s and removes its sockets', async (signal) => {
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect([existsSync(join(folder, 'agent')), existsSync(join(folder, 'control'))]).toEqual([false, false]);
  });

  it('continues without identities if it should', async () => {
    const [answer] = await askFrontSocket(join(folder, 'agent'), removeAllIdentities());
    await sleep(400);
    expect([answer?.[0], child.exitCode]).toEqual([6, null]);
  });

  itWhere(process.platform === 'linux', 'core files are tested on Linux')(
    'leaves its memory out of core files',
    () => {
      expect(readFileSync(`/proc/${child.pid ?? 0}/coredump_filter`, 'utf8')).toBe('00000000\n');
    },
  );

  itWhere(process.getuid?.() === 0, 'another user at the agent socket: run the tests as root')(
    'cannot be reached by another user',
    async () => {
      const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
      const asNobody = await runProgram([...nobody, 'ssh-add', '-l'], { env: env(), cwd: '/' });
      expect(asNobody).toMatchObject({ code: 2, stdout: '' });
      expect(asNobody.stderr).toContain('Permission denied');
      expect((await runProgram(['ssh-add', '-l'], { env: env() })).code).toBe(0);
    },
  );

  // A busy machine has more garbage: the bench has the exact limits.
  itInRest('needs little memory, and does not grow in 10,000 signatures', async () => {
    const { bare, peak, grown } = await measureFront(10_000);
    expect(peak - bare).toBeLessThan(80);
    expect(grown).toBeLessThan(5);
  });
});
