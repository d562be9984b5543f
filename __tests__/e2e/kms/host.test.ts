/** Keys that stay in KMS, on a host: ssm-ssh, git, ssh and sshd. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { ACCOUNT, allow } from '../../support/aws/world.ts';
import { launchInstance, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { kmsCalls, makeKmsKey, maySign, place } from './kms-keys.ts';
import { useKmsHost } from './use-kms-host.ts';

const agentProgram = join(project, 'helper/ssm-ssh-agent');

describeOnHost('a key in KMS on a host', () => {
  const stand = useKmsHost();
  const section = (name: string, more: Readonly<Record<string, string>> = {}): string[] => [
    `[ssm "${stand.address}/acme/${name}"]`,
    ...Object.entries({ key: `kms:alias/${name}`, ...more }).map((setting) => setting.join(' = ')),
  ];
  const configure = (more: Readonly<Record<string, string>> = {}): void => {
    stand.host.configure([...section('one', more), ...section('two'), ...section('lib', { key: '/ci/key' })]);
  };
  const requests = (): number => stand.world.aws.calls.length;

  it('is served by an agent of its own; the next connections start no Node and ask KMS once', async () => {
    const { world, list, succeeds, fronts, countStarts } = stand;
    const starts = countStarts();
    configure();
    for (const name of ['one', 'two', 'lib']) await succeeds(list(name));
    expect([starts(), fronts().length]).toEqual([3, 2]);
    expect(kmsCalls(world)).toEqual(['kms:GetPublicKey', 'kms:Sign', 'kms:GetPublicKey', 'kms:Sign']);
    const before = requests();
    await succeeds(list('lib'));
    const ofStored = requests() - before;
    await succeeds(list('one'));
    expect([ofStored, requests() - before, starts()]).toEqual([0, 1, 3]);
  });

  it('has what it signed and refused in the log of all agents', async () => {
    const { host, list, succeeds } = stand;
    const { stderr } = await host.run(`${agentProgram} log`);
    expect(stderr).toBe('ssm-ssh-agent: no agent for keys in KMS runs\n');
    configure();
    await succeeds(`${list('one')} && ${list('two')}`);
    await host.run(`${list('one')} || true`, { SSM_SSH_KEY: 'kms:alias/one' });
    const { stdout } = await succeeds(`${agentProgram} log`);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines)
      expect(line).toMatch(/^20\S+Z kms:alias\/(one|two): signed a login as \S+ at \[/);
    const { stdout: json } = await succeeds(`${agentProgram} log --json`);
    expect(JSON.parse(json)).toMatchObject({ agents: 2, totals: { signed: 3, refused: 0, failed: 0 } });
  });

  it('has a log that says so if an agent is locked or does not answer, beside those of the others', async () => {
    const { host, list, succeeds, fronts } = stand;
    configure();
    await succeeds(`${list('one')} && ${list('two')}`);
    const [socket = ''] = (
      await succeeds('ls -d "$HOME"/.cache/*/kms/*/agent || ls -d run-user/*/kms/*/agent')
    ).stdout
      .trim()
      .split('\n');
    await host.run(`echo 'echo x' >askpass; chmod +x askpass; ssh-add -x`, {
      ...{ SSH_AUTH_SOCK: socket, SSH_ASKPASS: './askpass', SSH_ASKPASS_REQUIRE: 'force' },
    });
    const locked = await host.run(`${agentProgram} log`);
    expect(locked).toMatchObject({
      ...{
        code: 1,
        stderr: 'ssm-ssh-agent: AGENT_FAILED: the agent is locked\nhint: unlock it: ssh-add -X\n',
      },
      stdout: expect.stringMatching(/^\S+ kms:alias\/(one|two): signed a login .*\n$/),
    });
    for (const { pid } of fronts()) process.kill(pid, 'SIGSTOP');
    const silent = await host.run(`${agentProgram} log --quiet`);
    for (const { pid } of fronts()) process.kill(pid, 'SIGCONT');
    expect([silent.code, silent.stdout]).toEqual([1, '']);
    expect(silent.stderr).toMatch(
      /^ssm-ssh-agent: AGENT_FAILED: the agent at \S+ has not answered for 5 seconds\n/,
    );
  });

  it('commits, pushes and clones', async () => {
    configure();
    const url = stand.git.url('acme/one');
    await stand.succeeds(
      `git clone -q ${url} one && cd one && git commit -q --allow-empty -m x && git push -q origin HEAD`,
    );
  });

  it('is SSM_SSH_KEY, also for commands that are not git’s', async () => {
    const { host, git, succeeds, list, countStarts } = stand;
    const starts = countStarts();
    const env = { SSM_SSH_KEY: 'kms:alias/one' };
    const { stderr } = await host.run(`${list('one')} || true`, env);
    // Without repositories the key is for the pinned hosts.
    expect(stderr).toMatch(
      /^ssm-ssh: SIGNATURE_REFUSED: .*\nhint: SSM_SSH_KEY is a reference alone: name the key for the host /m,
    );
    configure();
    host.configure([`[ssm "${stand.address}"]`, 'key = kms:alias/one']);
    const ssh = `${host.env['GIT_SSH_COMMAND'] ?? ''} -p ${String(git.port)} ${git.user}@${git.address}`;
    await host.run(`${ssh} true || true`);
    const cold = starts();
    const { stdout } = await host.run(`${ssh} -v true 2>&1 || true`);
    expect(stdout).toContain('Server accepts key');
    expect(starts()).toBe(cold);
    await succeeds(list('one'));
  });

  it('ends with its lifetime, and is then served again', async () => {
    const { host, list, succeeds, fronts } = stand;
    configure({ keyLifetime: '4s' });
    await succeeds(list('one'));
    expect(fronts()).toHaveLength(1);
    for (let waited = 0; waited < 8000 && fronts().length > 0; waited += 50) await sleep(50);
    expect(fronts()).toEqual([]);
    const [folder = ''] = readdirSync(join(host.state, 'kms'));
    expect(existsSync(join(host.state, 'kms', folder, 'agent'))).toBe(false);
    await succeeds(list('one'));
    await succeeds(`sleep 3.3; ${list('one')}; sleep 1; ${list('one')}`);
  });

  it('signs no more than its uses in its lifetime, also where a new agent could be started', async () => {
    const { host, world, list, succeeds, fronts } = stand;
    configure({ uses: '2', keyLifetime: '12s' });
    for (let used = 0; used < 2; used++) await succeeds(list('one'));
    for (let waited = 0; waited < 5000 && fronts().length > 0; waited += 50) await sleep(50);
    for (const command of [list('one'), list('one')]) {
      const { code, stderr } = await host.run(command);
      expect([code, stderr]).toEqual([
        128,
        expect.stringMatching(
          /^ssm-ssh: SIGNATURE_REFUSED: all uses of kms:alias\/one are taken \(uses=2\) until its lifetime is over\nhint: /m,
        ),
      ]);
    }
    expect(kmsCalls(world).filter((name) => name === 'kms:Sign')).toHaveLength(2);
    await sleep(12_000);
    await succeeds(list('one'));
    await succeeds(list('one'));
    await host.run(`${agentProgram} flush`);
    await succeeds(list('one'));
  });

  it('is forgotten by flush, together with its agent', async () => {
    const { host, list, succeeds, fronts } = stand;
    configure();
    await succeeds(`${list('one')} && ${list('lib')}`);
    await host.run(`${agentProgram} flush`);
    expect([fronts(), existsSync(host.state)]).toEqual([[], false]);
    await succeeds(list('one'));
  });

  it('is served again after its agent was killed', async () => {
    const { list, succeeds, fronts } = stand;
    configure();
    await succeeds(list('one'));
    for (const { pid } of fronts()) process.kill(pid, 'SIGKILL');
    const { code, stdout } = await stand.host.run(list('one'));
    expect([code, stdout]).toEqual([0, expect.stringContaining('refs/heads/main')]);
  });

  it('does not open its inspector at SIGUSR1', async () => {
    configure();
    await stand.succeeds(stand.list('one'));
    for (const { pid } of stand.fronts()) process.kill(pid, 'SIGUSR1');
    await sleep(300);
    await expect(fetch('http://127.0.0.1:9229/json')).rejects.toThrow('fetch failed');
    await stand.succeeds(stand.list('one'));
  });

  it('has one agent for each account', async () => {
    const { world, host, list, succeeds, fronts } = stand;
    configure();
    const accounts = ['a', 'b'].map((name) => {
      const userArn = `arn:aws:iam::${ACCOUNT}:user/${name}`;
      const { accessKeyId, secretAccessKey } = world.aws.iam.createAccessKey({
        userArn,
        policies: [maySign],
      });
      return {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_REGION: place.region,
      };
    });
    for (const env of [...accounts, ...accounts]) await succeeds(list('one'), env);
    expect(fronts()).toHaveLength(2);
    const signers = world.aws.calls.filter(({ operation }) => operation === 'kms:Sign');
    expect(signers.map(({ principal }) => principal?.replace(/.*\//, ''))).toEqual(['a', 'b', 'a', 'b']);
    const secrets = accounts.map(({ AWS_SECRET_ACCESS_KEY: secret }) => secret);
    for (const text of [...host.files(host.state)].flat()) {
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  it('is started once by many connections', async () => {
    const { list, succeeds, fronts, world } = stand;
    configure();
    await succeeds(`for i in 1 2 3 4 5 6 7 8; do ${list('one')} & done; wait`);
    expect(fronts()).toHaveLength(1);
    expect(kmsCalls(world).filter((name) => name === 'kms:GetPublicKey')).toHaveLength(1);
  });

  it('that another key has behind its alias now is read anew when the login by git fails', async () => {
    const { world, host, git, list } = stand;
    configure();
    const move = (name: string): string => {
      const { arn, publicKey } = makeKmsKey(world, name);
      git.addDeployKey({ repository: 'acme/one', publicKey });
      world.aws.signingKeys.setAlias(place, 'alias/one', arn);
      return publicKey;
    };
    await stand.succeeds(list('one'));
    move('moved');
    expect((await host.run(list('one'))).code).toBe(0);
    const publicKey = move('moved-again');
    expect((await host.run(list('one'))).code).toBe(0);
    git.removeKey(publicKey);
    // Once a minute: the alias is still the same key, and the host refuses it.
    const asked: number[] = [];
    while (asked.length < 2) {
      const before = kmsCalls(world).filter((name) => name !== 'kms:Sign').length;
      expect((await host.run(list('one'))).code).toBe(128);
      asked.push(kmsCalls(world).filter((name) => name !== 'kms:Sign').length - before);
    }
    expect(asked[0]).toBeGreaterThan(0);
    expect(asked[1]).toBe(0);
  });

  it('that KMS denies is explained', async () => {
    const { world, host, keys, list, succeeds } = stand;
    configure();
    await succeeds(list('one'));
    const told = async (message: RegExp): Promise<void> => {
      const { code, stderr } = await host.run(list('one'));
      expect([code, stderr]).toEqual([128, expect.stringMatching(message)]);
      await host.run(`${agentProgram} flush`);
    };
    const { arn } = keys[0] ?? { arn: '' };
    world.aws.signingKeys.setState(arn, 'Disabled');
    const unusable = /^ssm-ssh: KMS_KEY_UNUSABLE: .* is disabled\nhint: enable it: aws kms enable-key /m;
    // By the agent that has the key, and by a new one.
    for (const message of [unusable, unusable]) await told(message);
    world.aws.signingKeys.setState(arn, 'Enabled');
    for (const [allowed, doing] of [
      ['kms:GetPublicKey', 'signing with'],
      ['kms:Sign', 'reading the public key of'],
    ] as const) {
      launchInstance(world, [allow(allowed, '*')]);
      await told(
        new RegExp(`^ssm-ssh: KEY_ACCESS_DENIED: ${doing} .*\\nhint: add to the role's policy: `, 'm'),
      );
    }
  });

  it('logs in by a certificate, made anew for each lifetime', async () => {
    const { world, host, succeeds } = stand;
    makeKmsKey(world, 'ca');
    host.configure([
      `[ssm "${stand.address}"]`,
      ...[
        'key = new:ed25519',
        'ca = kms:alias/ca',
        'principals = deploy',
        'valid = 5m',
        'extensions = permit-pty',
      ],
    ]);
    await host.run(`${stand.list('one')} || true`);
    const [folder = ''] = readdirSync(join(host.state, 'kms'));
    const { stdout } = await succeeds(`ssh-keygen -L -f '${join(host.state, 'kms', folder, 'key.pub')}'`);
    expect(stdout).toMatch(/Principals: \n\s+deploy\n/);
    expect(stdout).toMatch(/Extensions: \n\s+permit-pty\n/);
  });

  it('needs a short path for its socket', async () => {
    const home = join(stand.host.home, 'x'.repeat(Math.max(1, 60 - stand.host.home.length)));
    configure();
    const { code, stderr } = await stand.host.run(
      `mkdir -p '${home}' && cp .gitconfig '${home}' && ${stand.list('one')}`,
      { HOME: home, TMPDIR: '/nowhere' },
    );
    expect([code, stderr]).toEqual([
      128,
      expect.stringMatching(/^ssm-ssh: STATE_UNSAFE: the path of the socket /),
    ]);
  });
});
