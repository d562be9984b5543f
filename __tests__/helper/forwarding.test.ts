/** Which agent is forwarded from a job: what ssh itself makes of the options that it is given. */
import { execFileSync, spawnSync, type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { makeJobFolder } from '../support/job-folder.ts';
import { shells } from '../support/shells.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('helper/ssm-ssh in a job, of a forwarded agent', () => {
  let folder: string;
  let program: string;
  let own: string;
  let ours: string;
  const agents: ChildProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'forwarding-'));
    program = makeJobFolder(join(folder, 'use'), { keys: [''] });
    own = join(folder, "an agent's 100%");
    ours = join(folder, 'use/agent');
    writeFileSync(join(folder, 'use/agent-before'), `${own}\n`);
    mkdirSync(join(folder, 'bin'));
    const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
    writeFileSync(join(folder, 'bin/ssh'), `#!/bin/sh\nexec ${ssh} -F '${folder}/config' "$@"\n`, {
      mode: 0o755,
    });
    for (const socket of [own, ours]) {
      agents.push(spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }));
      while (!existsSync(socket)) await sleep(10);
    }
  });
  afterAll(() => {
    for (const agent of agents) agent.kill();
    rmSync(folder, { recursive: true });
  });

  interface Asking {
    readonly config?: string;
    readonly socket?: string | undefined;
    readonly shell?: readonly string[];
  }
  const ask = (
    args: readonly string[],
    { config = '', socket = ours, shell = ['sh'] }: Asking = {},
  ): { forwarded: string | undefined; stderr: string } => {
    writeFileSync(join(folder, 'config'), config);
    const env = { PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`, HOME: folder, SSH_AUTH_SOCK: socket };
    const [file = '', ...options] = [...shell, program, '-G', ...args];
    const { stdout, stderr } = spawnSync(file, options, { env, encoding: 'utf8' });
    const told = stderr.replace(/^Pseudo-terminal.*\r?\n/gm, '');
    return { forwarded: /^forwardagent (.*)$/m.exec(stdout)?.[1], stderr: told };
  };
  const quiet = (forwarded: string): unknown => ({ forwarded, stderr: '' });
  const clone = ['host.test', "git-upload-pack 'acme/lib'"];

  it.each([
    [['-A']],
    [['-a', '-A']],
    [['-4A']],
    [['-oForwardAgent=yes']],
    [['-o', ' forwardagent "true"']],
    [['-o', 'ForwardAgent=yes', '-o', 'ForwardAgent=no']],
    [['-o', 'ForwardAgent=no', '-A']],
    [['-o', 'ForwardAgent=$SSH_AUTH_SOCK']],
    [['-o', 'ForwardAgent=${SSH_AUTH_SOCK}']],
  ])('forwards the one of the caller for %j', (args) => {
    for (const shell of shells) expect(ask([...args, 'host.test'], { shell })).toEqual(quiet(own));
    expect(ask(['host.test', ...args, 'true'])).toEqual(quiet(own));
    expect(ask([...args, 'host.test'], { socket: own })).toEqual(quiet(own));
  });

  it('forwards the one of the caller where a path is ours, and leaves another path', () => {
    expect(ask(['-o', `ForwardAgent=${ours}`, 'host.test'])).toEqual(quiet(own));
    expect(ask(['-o', `ForwardAgent="${folder}/bin"`, 'host.test'])).toEqual(quiet(`${folder}/bin`));
    expect(ask(['-A', 'host.test'], { config: `ForwardAgent ${folder}/bin\n` })).toEqual(
      quiet(`${folder}/bin`),
    );
  });

  it("does as ssh's configuration says", () => {
    expect(ask(['host.test'], { config: 'Host *.test\n  ForwardAgent yes\n' })).toEqual(quiet(own));
    expect(ask(['host.test'], { config: 'Host *.other\n  ForwardAgent yes\n' })).toEqual(quiet('no'));
    expect(ask(['host.test'], { config: `ForwardAgent ${folder}/bin\n` })).toEqual(quiet(`${folder}/bin`));
  });

  it("forwards none where ssh's configuration names ours, and says so", () => {
    for (const path of [ours, '$SSH_AUTH_SOCK']) {
      const { stderr } = ask(['host.test'], { config: `ForwardAgent ${path}\n` });
      expect(stderr).toMatch(
        /^ssm-ssh: warning: .* is ours: none is forwarded\nhint: write ForwardAgent yes/m,
      );
    }
  });

  it.each([
    [['-a']],
    [['-A', '-a']],
    [['-o', 'ForwardAgent=no']],
    [['-oForwardAgent=no', '-oForwardAgent=yes']],
  ])('forwards none for %j', (args) => {
    expect(ask([...args, 'host.test'], { config: 'ForwardAgent yes\n' })).toEqual(quiet('no'));
  });

  it('forwards none where the caller has none, or one that is gone', () => {
    writeFileSync(join(folder, 'use/agent-before'), 'none\n');
    for (const args of [
      ['-A', 'host.test'],
      ['host.test', '-A', 'true'],
      ['-A', '--', 'host.test', '-x'],
    ])
      expect(ask(args)).toEqual(quiet('no'));
    expect(ask(['host.test'], { config: 'ForwardAgent yes\n' })).toEqual(quiet('no'));
    expect(ask(['-A', 'host.test'], { socket: join(folder, 'gone') })).toEqual(quiet('no'));
    writeFileSync(join(folder, 'use/agent-before'), `${own}\n`);
  });

  it.each([[['-A']], [['-oForwardAgent=yes']], [['-A', '--']], [['-A', '-p', '22']], [[]]])(
    "forwards none from git's commands, also for %j",
    (args) => {
      for (const shell of shells)
        expect(ask([...args, ...clone], { config: 'ForwardAgent yes\n', shell })).toEqual(quiet('no'));
      const wrapped = ['-o', 'SendEnv=GIT_PROTOCOL', ...args, 'host.test', "/opt/git-wrapper 'acme/lib'"];
      expect(ask(wrapped)).toEqual(quiet('no'));
    },
  );
});
