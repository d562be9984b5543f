/** The README's whole workflow: three deploy keys for a submodule, an npm package and the context of docker build. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { itWith } from '../support/needs.ts';
import { actionPath, openStage, told, type Stage } from './stage.ts';

interface Step {
  readonly with?: Readonly<Record<string, string>>;
  readonly run?: string;
}

const read = (path: string): string => readFileSync(join(actionPath, path), 'utf8');
const stepsOf = (workflow: string): Step[] =>
  (parse(workflow) as { jobs: { build: { steps: Step[] } } }).jobs.build.steps;
const example = read('examples/workflows/build-with-three-keys.yml');
const [, use, ...scripts] = stepsOf(example);
/** All but what docker does: no test has a Docker engine. */
const script = scripts.map(({ run = '' }) => run.replace(/ && docker build .*/, '')).join('\n');

describe("the README's whole workflow", () => {
  let stage: Stage;
  let world: ReadyWorld;
  const keys = new Map<string, SshKey>();

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    for (const name of ['lib', 'theme', 'tools']) {
      const key = await makeSshKey();
      keys.set(name, key);
      const files = { 'package.json': JSON.stringify({ name, version: '1.0.0' }) };
      if (name !== 'lib') await stage.host.createRepository(`acme/${name}`, { files });
      stage.host.addDeployKey({ repository: `acme/${name}`, publicKey: key.publicKey });
      world.put(`/ci/${name}-key`, key.privateKey);
    }
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  it('is the example workflow', () => {
    const blocks = [...read('README.md').matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
    expect(blocks.filter((text) => example.endsWith(text)).length).toBe(1);
  });

  itWith('npm')('fetches all three, each with its own key', async () => {
    const { host } = stage;
    const job = stage.job({ env: world.jobEnvironment() });
    const inputs = { ...use?.with, 'known-hosts': host.knownHosts };
    const lines = use?.with?.['keys']?.replaceAll('github.com', `${host.address}:${String(host.port)}`) ?? '';
    expect(told(await job.uses({ with: { ...inputs, keys: lines } })).text).toBe('');
    // What actions/checkout brings: a submodule that is not fetched, and npm's two files.
    const from = (name: string): string => host.url(`acme/${name}`);
    const dependencies = { theme: `git+${from('theme')}` };
    writeFileSync(join(job.workspace, 'package.json'), JSON.stringify({ name: 'app', dependencies }));
    const checkedOut = await job.run(`
      git config --global url.${from('lib').replace('acme/lib.git', '')}.insteadOf git@github.com:
      git init --quiet && git clone --quiet --bare ${from('lib')} .git/modules/lib
      printf '[submodule "lib"]\\n\\tpath = lib\\n\\turl = git@github.com:acme/lib.git\\n' >.gitmodules
      git update-index --add --cacheinfo "160000,$(git -C .git/modules/lib rev-parse HEAD),lib"
      rm -rf .git/modules
      npm install --package-lock-only --no-audit --no-fund --silent`);
    expect([checkedOut.outcome, checkedOut.log]).toEqual(['success', '']);
    const before = (await host.log()).length;
    const { log, outcome } = await job.run(`${script}\nls lib node_modules/theme tools`);
    expect([outcome, log]).toEqual(['success', expect.stringMatching(/node_modules\/theme:\npackage\.json/)]);
    const offered = (await host.log()).slice(before).map(({ command, offered }) => {
      const [, name = ''] = /acme\/(\w+)/.exec(command ?? '') ?? [];
      return [name, ...offered];
    });
    const own = [...keys].map(([name, { fingerprint }]) => JSON.stringify([name, fingerprint]));
    expect([...new Set(offered.map((entry) => JSON.stringify(entry)))].sort()).toEqual(own.sort());
  });
});
