/** The folders for EC2 hosts of a job whose steps run as different users, as with sudo. */
import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jobFolder } from '../../src/action/job-folder.ts';
import { nameJobFolder } from '../../src/action/make-job-folder.ts';
import { unloadKeys } from '../../src/action/unload-keys.ts';
import { fitsSocket } from '../../src/ssh/agent.ts';
import { makeSshKey } from '../support/ssh-keys.ts';

const workflow = { info: () => undefined, warn: () => undefined, exportVariable: () => undefined };
const use = (folder: string): Parameters<typeof unloadKeys>[0][number] => ({
  ...{ folder, socket: join(folder, 'agent'), sshConfig: false, tokens: [], replaced: {} },
});

let temp: string;
beforeEach(() => {
  temp = mkdtempSync('/tmp/ec2-folders-');
});
afterEach(() => {
  rmSync(temp, { recursive: true, force: true });
});

describe('the folder of a job', () => {
  it('is one in which the socket of the second user at EC2 hosts fits, too', () => {
    const own = `ec2-${String(process.getuid?.())}/agent`;
    const behind = `/ssm-ssh-agent-01234567/${own}`.length;
    let longest = '/tmp/';
    while (fitsSocket(`${longest}x${'y'.repeat(behind)}`)) longest += 'x';
    expect(nameJobFolder(longest).socket).toContain(longest);
    const longer = nameJobFolder(`${longest}x`);
    expect(fitsSocket(longer.ec2.socket)).toBe(true);
    expect(longer.socket).not.toContain(longest);
  });
});

describe('the end of a job', () => {
  it('removes the keys of an agent of another user through its socket, if its process is not found', async () => {
    const folder = join(temp, 'ssm-ssh-agent-01234567');
    const theirs = join(folder, 'ec2-4711');
    mkdirSync(theirs, { recursive: true, mode: 0o700 });
    // The command line of the agent names another path, as in a container.
    symlinkSync(theirs, join(temp, 'link'));
    const started = execFileSync('ssh-agent', ['-s', '-a', join(temp, 'link/agent')], { encoding: 'utf8' });
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
    try {
      const kept = join(temp, 'kept');
      linkSync(join(theirs, 'agent'), kept);
      const env = { ...process.env, SSH_AUTH_SOCK: kept };
      execFileSync('ssh-add', ['-q', '-'], { env, input: (await makeSshKey()).privateKey });
      expect(await unloadKeys([use(folder)], { env: {}, workflow })).toEqual([]);
      expect(spawnSync('ssh-add', ['-l'], { env, encoding: 'utf8' }).stdout).toContain('no identities');
    } finally {
      process.kill(pid);
    }
  });

  it('says what to run if a folder cannot be removed', async () => {
    const folder = join(temp, `it's ${'x'.repeat(300)}`, 'ssm-ssh-agent-01234567');
    const [problem = '', ...more] = await unloadKeys([use(folder)], { env: {}, workflow });
    expect(more).toEqual([]);
    expect(problem).toContain(`${jobFolder(folder).path} cannot be removed (`);
    expect(problem).toContain(`sudo rm -rf '${folder.replace("'", `'\\''`)}'`);
  });
});
