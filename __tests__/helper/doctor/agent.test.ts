/** What doctor says of the folders for this user's agent. Each case has real folders. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { checkAgents } from '../../../helper/doctor/agent.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { describeOnHost } from '../../support/on-host.ts';

describeOnHost('the state folder', () => {
  const id = userInfo().uid;
  const name = `ssm-ssh-agent-${id}`;
  let root: string;
  let home: string;
  let temporary: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'doctor-agent-'));
    home = join(root, 'home');
    temporary = join(root, 'tmp');
    for (const folder of [home, temporary, join(home, '.cache')]) mkdirSync(folder, { mode: 0o700 });
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const make = (parent: string): string => {
    const folder = join(parent, name);
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  };
  const lend = (folder: string): void => {
    writeFileSync(join(folder, 'machine'), 'otherhost\n');
  };
  const check = async (): Promise<Finding | undefined> => {
    const user = { id, home, temporary };
    const { signal } = new AbortController();
    return (await checkAgents({ user, env: {}, agent: 'ssm-ssh-agent', signal }))[0];
  };

  it('of another machine stays, and the next one is used', async () => {
    const folder = make(join(home, '.cache'));
    lend(folder);
    expect(await check()).toMatchObject({
      status: 'ok',
      detail: `${temporary}/${name}, made when it is needed; not used: ${folder}: another machine with the same home folder uses it`,
    });
  });

  it('of another machine is not removed, either, where no other is left', async () => {
    for (const parent of [join(home, '.cache'), temporary]) lend(make(parent));
    const found = await check();
    expect(found).toMatchObject({ status: 'fail', detail: expect.stringMatching(/^STATE_UNSAFE: /) });
    expect(found?.remedy).toBe(
      'if the other machine is this one with its name of before, or is gone, run ssm-ssh-agent flush; or set TMPDIR to a folder of this machine that you own',
    );
  });

  it('that others may write to is the only one that is removed', async () => {
    lend(make(join(home, '.cache')));
    const open = make(temporary);
    chmodSync(open, 0o777);
    expect(await check()).toMatchObject({ status: 'fail', remedy: `rm -rf ${open}` });
  });

  it('that is a symbolic link is removed', async () => {
    const link = join(home, '.cache', name);
    symlinkSync(root, link);
    expect(await check()).toMatchObject({ status: 'warn', remedy: `rm -rf ${link}` });
  });

  it('in a folder that others may write to is not removed', async () => {
    const folder = make(join(home, '.cache'));
    chmodSync(join(home, '.cache'), 0o777);
    expect(await check()).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining(`not used: ${folder}: others own or may write to one of its parent`),
    });
    rmSync(temporary, { recursive: true });
    expect((await check())?.remedy).toBe(
      `check the owner of ${temporary}/${name} and of its parent folders (it has to be root or you, and nobody else may write there), or set HOME to a folder that you own`,
    );
    mkdirSync(temporary);
  });
});
