/** git-credential-ssm with a store prefix on a host with the policy of the documentation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import { createCertificates, type Certificates } from '../../support/aws/wire/certificates.ts';
import { ACCOUNT, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, INSTANCE_ROLE, launchInstance, project } from '../../support/ec2-host.ts';
import { startHttpsGitHost, type HttpsGitHost } from '../../support/git-host/https-git.ts';
import { itInRest, itInTurn as it } from '../../support/parts.ts';

const helper = join(project, 'helper/git-credential-ssm');
const guide = readFileSync(join(project, 'docs/https.md'), 'utf8');
const [, policy = ''] = /```json\n(\{\s+"Version".*?)```/s.exec(guide) ?? [];
const password = 'correct horse battery';

describe('git-credential-ssm with a store prefix on a host', () => {
  let certificates: Certificates;
  let git: HttpsGitHost;
  let world: ReadyWorld;
  let host: Ec2Host;

  beforeAll(async () => {
    certificates = await createCertificates();
    git = await startHttpsGitHost(certificates);
    await git.createRepository('acme/lib');
  });
  afterAll(async () => {
    await Promise.all([git.stop(), certificates.remove()]);
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world, [JSON.parse(policy) as PolicyDocument]);
    host = new Ec2Host(world, [], { GIT_SSL_CAINFO: certificates.caFile });
    host.configure(['[credential]', `helper = ${helper}`, '[ssm]', 'storePrefix = /git-credentials']);
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });

  const stored = (): string[] =>
    world.aws.parameters
      .under({ account: ACCOUNT, region: REGION }, '/git-credentials/')
      .map(({ name }) => name);
  const calls = (): string[] =>
    world.aws.calls.filter(({ service }) => service === 'ssm').map(({ operation }) => operation.slice(4));
  const listRefs = (): string => `git ls-remote ${git.url('acme/lib')} HEAD`;
  const askpass = `printf '%s\\n' '#!/bin/sh' 'case $1 in U*) echo octocat ;; *) cat "$HOME/typed" ;; esac' >askpass; chmod +x askpass`;

  it('keeps a typed password for every git command, until the server refuses it', async () => {
    git.letIn('octocat', password);
    const typed = { GIT_ASKPASS: `${host.home}/askpass` };
    const first = await host.run(
      `${askpass}; printf '%s\\n' '${password}' >typed; ${listRefs()}; rm typed`,
      typed,
    );
    expect([first.stderr, first.code]).toEqual(['', 0]);
    const place = git.place.replace(':', '_3A');
    expect(stored()).toEqual([`/git-credentials/https/${place}/octocat/_`]);
    world.aws.forgetCalls();
    expect((await host.run(listRefs())).code).toBe(0);
    expect(calls()).toEqual(['GetParametersByPath', 'GetParametersByPath']);
    git.letIn('octocat', 'another');
    const refused = await host.run(listRefs());
    expect(refused.code).toBe(128);
    expect(stored()).toEqual([]);
    expect([...host.files().values()].filter((text) => text.includes(password))).toEqual([]);
  });

  const losesNothing = async (pairs: number): Promise<void> => {
    const attributes = (user: string): string =>
      `printf 'protocol=https\\nhost=github.com\\nusername=%s\\npassword=of %s\\n' ${user} ${user}`;
    for (let number = 1; number <= pairs; number += 1) {
      const credential = {
        protocol: 'https',
        host: 'github.com',
        username: `old${number}`,
        password: `of old${number}`,
      };
      world.put(`/git-credentials/https/github.com/old${number}/_`, JSON.stringify(credential));
    }
    // Fifty parallel programs on few cores would exceed the second for instance metadata.
    const credentials = world.aws.iam.createSession({ roleArn: INSTANCE_ROLE });
    const env = { ...world.aws.environment({ credentials }), AWS_REGION: REGION, SSM_SSH_TIMEOUT: '5m' };
    const { stderr } = await host.run(
      `for i in $(seq ${pairs}); do
         ${attributes('new$i')} | ${helper} store & ${attributes('old$i')} | ${helper} erase &
       done; wait`,
      env,
    );
    expect(stderr).toBe('');
    const users = Array.from(
      { length: pairs },
      (_, index) => `/git-credentials/https/github.com/new${index + 1}/_`,
    );
    expect(stored()).toEqual(users.sort());
  };
  it('loses nothing when ten processes store and erase in parallel', () => losesNothing(5));
  itInRest('loses nothing when fifty processes store and erase in parallel', () => losesNothing(25), 300_000);

  it('neither stores nor erases credentials of a section, or anything without a prefix', async () => {
    const tell = (operation: string, options = ''): string =>
      `printf 'protocol=https\\nhost=${git.place}\\nusername=octocat\\npassword=x\\n' | ${helper} ${options} ${operation}`;
    host.configure([`[ssm "${git.place}"]`, 'credential = /ci/token']);
    const ran = await host.run(`${tell('store')}; ${tell('erase')}
      ${tell('store', '--store-prefix /git-credentials')}; ${tell('erase', '--store-prefix=/git-credentials')}`);
    expect([ran.stdout + ran.stderr, ran.code, calls()]).toEqual(['', 0, []]);
  });

  it('ignores a foreign parameter below its prefix', async () => {
    const tell = (operation: string): string =>
      `printf 'protocol=https\\nhost=git.test\\nusername=octocat\\npassword=x\\n' | ${helper} ${operation}`;
    await host.run(tell('store'));
    const note = '/git-credentials/https/git.test/octocat/note';
    world.put(note, 'ask Ann', { type: 'String' });
    const { stdout, stderr } = await host.run(
      `printf 'protocol=https\\nhost=git.test\\n\\n' | ${helper} get`,
    );
    expect([stdout.includes('password=x\n'), stderr]).toEqual([true, '']);
    expect((await host.run(tell('erase'))).stderr).toBe('');
    expect(stored()).toEqual([note]);
  });

  it.each([
    { prefix: 'git', more: '', code: 'INPUT_INVALID', exitCode: 2 },
    { prefix: '/git-credentials', more: 'password=a\\rb\\n', code: 'CREDENTIAL_INVALID', exitCode: 1 },
  ])('refuses an invalid credential: %j', async ({ prefix, more, code, exitCode }) => {
    host.configure(['[ssm]', `storePrefix = ${prefix}`]);
    const ran = await host.run(
      `printf 'protocol=https\\nhost=github.com\\nusername=octocat\\npassword=x\\n${more}' | ${helper} store`,
    );
    expect([ran.code, ran.stdout, /: ([A-Z_]+): /.exec(ran.stderr)?.[1], calls()]).toEqual([
      exitCode,
      '',
      code,
      [],
    ]);
  });
});
