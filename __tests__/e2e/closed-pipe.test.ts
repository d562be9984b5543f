/** Nobody reads what a program of ours prints: `ssm-ssh-agent policy … | true`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { itInTurn as it } from '../support/parts.ts';
import { actionPath } from './stage.ts';

const agent = 'helper/ssm-ssh-agent';
const policy = ['policy', '/ci/key', '--account-id', '111122223333', '--region', 'eu-west-1'];

describe('a program of ours whose output nobody reads', () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'closed-'));
  });
  afterAll(() => {
    rmSync(home, { recursive: true });
  });

  /** The reading end is closed before the program writes. */
  async function run(closed: 'stdout' | 'stderr', argv: readonly string[], input = ''): Promise<unknown[]> {
    const [program = '', ...args] = argv;
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home, LANG: 'C.UTF-8' };
    // A shell may print before the reading end is closed here.
    const late = ['-c', 'sleep 0.3; exec "$0" "$@"', join(actionPath, program), ...args];
    const child = spawn('sh', late, { env, cwd: home, stdio: 'pipe' });
    child[closed].destroy();
    let text = '';
    child[closed === 'stdout' ? 'stderr' : 'stdout'].on('data', (more: Buffer) => (text += String(more)));
    child.stdin.on('error', () => undefined).end(input);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return [signal === 'SIGPIPE' ? 141 : code, text];
  }

  it.each([
    [[agent, '--help'], ''],
    [[agent, '--version'], ''],
    [[agent, 'policy', '--help'], ''],
    [[agent, ...policy, '--kms-key-id', 'alias/ci'], ''],
    [[agent, 'explain', 'git@github.com:acme/lib.git'], ''],
    [['helper/git-credential-ssm', '--help'], ''],
    [['helper/ssm-ssh', '--help'], ''],
  ])('ends silently, as by SIGPIPE: %j', async (argv, input) => {
    expect(await run('stdout', argv, input)).toEqual([141, '']);
  });

  it.each([
    [[agent, 'nonsense'], 2],
    [['helper/git-credential-ssm', 'get'], 0],
  ])('keeps its exit code if only its messages are not read: %j', async (argv, code) => {
    expect(await run('stderr', argv, 'protocol=https\nhost=github.com\n\n')).toEqual([code, '']);
  });
});
