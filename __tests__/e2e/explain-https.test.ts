/** `explain` for HTTPS URLs says what git gets from git-credential-ssm: both are asked. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { launcher, openEc2Host, type Ec2Host } from './ec2-host.ts';

interface Explained {
  readonly answer: string;
  readonly keys: readonly { readonly reference: string | null }[];
}

type Env = Readonly<Record<string, string>>;

describe('explain and git credential', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
    for (const name of ['acme', 'lib', 'env']) host.world.put(`/ci/${name}`, `token-${name}`);
  });
  afterEach(async () => {
    await host.close();
  });

  const helper = `[credential]\n\thelper = ${join(launcher, '../git-credential-ssm')}\n`;
  const usePath = '[credential "https://github.com"]\n\tuseHttpPath = true\n';
  const both =
    '[ssm "github.com/acme"]\n\tcredential = /ci/acme\n[ssm "github.com/acme/lib"]\n\tcredential = /ci/lib\n';
  const ofHost = '[ssm "github.com"]\n\tcredential = /ci/acme\n';

  it.each<[string, string, string, Env]>([
    ['the most specific section', helper + usePath + both, 'https://github.com/acme/lib.git', {}],
    ['the section of the owner', helper + usePath + both, 'https://github.com/acme/other', {}],
    ['no path', helper + both, 'https://github.com/acme/lib.git', {}],
    ['a section for the host', helper + ofHost, 'https://github.com/acme/lib.git', {}],
    ['another host', helper + both, 'https://gitlab.com/acme/lib', {}],
    ['no helper', ofHost, 'https://github.com/acme/lib', {}],
    [
      'another helper behind ours',
      `${helper}[credential]\n\thelper = store --file=/dev/null\n${ofHost}`,
      'https://github.com/acme/lib',
      {},
    ],
    [
      'a cleared list of helpers',
      `${helper}[credential]\n\thelper =\n${ofHost}`,
      'https://github.com/acme/lib',
      {},
    ],
    [
      'a helper for a part of the host',
      `[credential "https://github.com/acme"]\n\thelper = ${join(launcher, '../git-credential-ssm')}\n${ofHost}`,
      'https://github.com/acme/lib',
      {},
    ],
    [
      'a setting without a value',
      `${helper}[credential "https://github.com"]\n\tuseHttpPath\n${both}`,
      'https://github.com/acme/lib',
      {},
    ],
    [
      'the last setting, which is for a whole host',
      `${helper}[credential "https://github.com/acme"]\n\tuseHttpPath = false\n${usePath}${both}`,
      'https://github.com/acme/lib',
      {},
    ],
    ['a wrong percent code', helper + ofHost, 'https://github.com/acme/%zz.git', {}],
    [
      'the environment',
      helper + ofHost,
      'https://github.com/acme/lib',
      { SSM_SSH_CREDENTIAL: '/ci/env', SSM_SSH_CREDENTIAL_HOST: 'github.com' },
    ],
  ])('agree about %s', async (...[, configuration, url, more]) => {
    writeFileSync(join(host.folder, 'home/.gitconfig'), configuration);
    mkdirSync(join(host.folder, 'elsewhere'));
    const env = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', ...more };
    const filled = await host.start(['git', 'credential', 'fill'], { env, input: `url=${url}\n\n` }).ended;
    const [, really] = /^password=token-(.*)$/m.exec(filled.stdout) ?? [];
    const { stdout, exitCode } = await host.agent(['explain', '--json', url], { env });
    const { keys, answer } = JSON.parse(stdout) as Explained;
    expect([answer, keys.map(({ reference }) => reference)]).toEqual([
      answer,
      really ? [`/ci/${really}`] : [],
    ]);
    expect(exitCode).toBe(really ? 0 : 1);
  });
});
