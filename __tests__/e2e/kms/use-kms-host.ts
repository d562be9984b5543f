/** For each test: a host whose instance may sign by KMS, and a git host with two repositories of KMS keys and one of a stored key. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance, type Ran } from '../../support/ec2-host.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { makeKmsKey, maySign, type KmsKey } from './kms-keys.ts';

export interface KmsHosting {
  readonly world: ReadyWorld;
  readonly git: GitHost;
  /** Of `acme/lib`, stored as `/ci/key`. */
  readonly key: SshKey;
  /** Of `acme/one` and `acme/two`, with the aliases `one` and `two`. */
  readonly keys: readonly KmsKey[];
  readonly host: Ec2Host;
  /** The host and port of git, as sections name them. */
  readonly address: string;
  readonly list: (name: string) => string;
  /** Counts the starts of Node from now on. */
  readonly countStarts: () => () => number;
  /** The processes of agents in front. */
  readonly fronts: () => readonly { readonly pid: number; readonly command: string }[];
  readonly succeeds: (script: string, env?: Readonly<Record<string, string>>) => Promise<Ran>;
}

const names = ['one', 'two'];

export function useKmsHost(): KmsHosting {
  let [world, git, key, host, keys] = [] as unknown as [ReadyWorld, GitHost, SshKey, Ec2Host, KmsKey[]];
  beforeAll(async () => {
    [git, key] = await Promise.all([startGitHost(), makeSshKey()]);
    for (const name of [...names, 'lib']) await git.createRepository(`acme/${name}`);
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey, write: true });
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world, [maySign]);
    world.put('/ci/key', key.privateKey);
    keys = names.map((name) => {
      const made = makeKmsKey(world, name);
      git.addDeployKey({ repository: `acme/${name}`, publicKey: made.publicKey, write: true });
      return made;
    });
    host = new Ec2Host(world, [git]);
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });
  const countStarts = (): (() => number) => {
    const [log, node] = ['started', 'node'].map((name) => join(host.home, name)) as [string, string];
    const script = `#!/bin/sh\n[ "$1" = --version ] || echo x >>'${log}'\nexec '${process.execPath}' "$@"\n`;
    writeFileSync(node, script, { mode: 0o755 });
    host.env['SSM_SSH_NODE'] = node;
    return () => (existsSync(log) ? readFileSync(log, 'utf8').length / 2 : 0);
  };
  return {
    ...{ countStarts, list: (name) => `git ls-remote ${git.url(`acme/${name}`)} main` },
    fronts: () => host.processes().filter(({ command }) => command.includes(' front -a ')),
    succeeds: async (script, env) => {
      const ran = await host.run(script, env);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      return ran;
    },
    get world() {
      return world;
    },
    get git() {
      return git;
    },
    get key() {
      return key;
    },
    get keys() {
      return keys;
    },
    get host() {
      return host;
    },
    get address() {
      return `${git.address}:${String(git.port)}`;
    },
  };
}
