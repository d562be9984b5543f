/** What ssm-ssh does on a host before Node has answered: what it believes, and where it waits. */
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { describeOnHost } from '../support/on-host.ts';
import { itInTurn as it } from '../support/parts.ts';
import { shells } from '../support/shells.ts';
import { sections, useHostStage } from './host-routes-in-shells.ts';

describeOnHost('helper/ssm-ssh whose question Node does not answer', () => {
  const stage = useHostStage();

  const ask = (repository: string, shell: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const node = join(stage.home, 'bin/a-node');
    const script = '#!/bin/sh\n[ "$1" != --version ] || exec echo v24.0.0\necho asked >&2\nexit 255\n';
    writeFileSync(node, script, { mode: 0o755 });
    const env = { SSM_SSH_NODE: node, SSM_SSH_KEY: '/key-0', ...more };
    const ssh = ['git@github.com', `git-upload-pack '${repository}'`];
    return stage.tell(ssh, sections(['']), { shell, env, isCold: true });
  };

  it('runs nothing that lies in a state folder of somebody else', () => {
    const [temp, theirs, ran] = ['temp', 'theirs', 'ran'].map((name) => join(stage.home, name)) as [
      string,
      string,
      string,
    ];
    mkdirSync(join(theirs, 'compiled'), { recursive: true });
    mkdirSync(temp);
    writeFileSync(join(theirs, 'compiled/one'), `echo >'${ran}'\n`);
    // A link is as little ours as a folder of another user, and needs no root.
    symlinkSync(theirs, join(temp, 'ssm-ssh-agent-1'));
    for (const shell of shells) {
      const told = ask('acme/lib', shell, { HOME: theirs, TMPDIR: temp });
      expect([shell, told, existsSync(ran)]).toEqual([shell, 'asked\n', false]);
    }
    expect(readdirSync(join(theirs, 'compiled'))).toEqual(['one']);
  });

  it('says that SSM_SSH_NODE is no Node, in the words of ssm-ssh-agent', () => {
    for (const shell of shells)
      expect([shell, ask('acme/lib', shell, { SSM_SSH_NODE: '/nowhere' })]).toEqual([
        shell,
        'ssm-ssh: INPUT_INVALID: SSM_SSH_NODE is no Node 20 or newer: /nowhere\nhint: set it to the path of one, or unset it to have one looked for\n',
      ]);
  });

  it('has a place to wait for each repository, also where there is no cksum', () => {
    const cksum = join(stage.home, 'bin/cksum');
    const places = (): string[] => readdirSync(join(stage.state, 'asked'));
    for (const shell of shells) {
      expect([ask('acme/lib', shell), ask('acme/app', shell)]).toEqual(['asked\n', 'asked\n']);
      expect([shell, places().length]).toEqual([shell, 2]);
    }
    writeFileSync(cksum, '#!/bin/sh\nexit 127\n', { mode: 0o755 });
    for (const repository of ['acme/lib', 'acme/app', 'acme/lib']) ask(repository, ['sh']);
    rmSync(cksum);
    expect(places().length).toBe(4);
  });
});
