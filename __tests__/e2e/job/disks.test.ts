/** A RUNNER_TEMP that is full, or that nothing may be started from. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { launchInstance } from '../../support/ec2-host.ts';
import { describeWithMounts, wrapNode } from '../../support/node-wrapper.ts';
import { actionPath, repository, told, useStage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeWithMounts('a RUNNER_TEMP', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'disk-'));
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  const inputs = (): Record<string, string> => ({
    keys: '/ci/deploy-key',
    'aws-region': REGION,
    'role-to-assume': ROLE_ARN,
    'known-hosts': stage.host.knownHosts,
  });

  // With no room behind the first file, among the keys' files, and for the agent's socket.
  it.each(['size=4k', 'size=24k', 'nr_inodes=3'])(
    'that fills up while main writes (%s) is STATE_UNSAFE, and nothing is left',
    async (limit) => {
      const temp = join(folder, limit);
      mkdirSync(temp);
      const nodePath = wrapNode(folder, {
        main: `exec unshare --mount bash -c 'mount -t tmpfs -o ${limit} tmpfs "$RUNNER_TEMP"
          "$@"; code=$?; ls -A "$RUNNER_TEMP" | sed "s/^/left: /"; exit $code' bash "$@"`,
      });
      const job = stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: temp }, nodePath });
      const main = await job.uses({ with: inputs() });
      const { code, text } = told(main);
      expect(code).toBe('STATE_UNSAFE');
      expect(text).toMatch(/ENOSPC|no space left/i);
      expect(text).toMatch(/\nhint: free space/);
      expect(main.log).not.toContain('left: ');
      expect([job.processes(), main.env]).toEqual([[], {}]);
      expect((await job.finish()).posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([
        ['success', []],
      ]);
    },
  );

  it('that is mounted noexec is no hindrance for git, and main says what is', async () => {
    const temp = join(folder, 'noexec');
    mkdirSync(temp);
    // Main, and then a step, which has to see the mount as well.
    const script = join(folder, 'job.sh');
    writeFileSync(
      script,
      `mount -t tmpfs -o noexec tmpfs "$RUNNER_TEMP" && "$@" || exit
       while IFS= read -r line; do
         case $line in *'<<'*) IFS= read -r value; export "\${line%%<<*}=$value"; IFS= read -r line ;; esac
       done <"$GITHUB_ENV"
       git ls-remote ${stage.host.url(repository)} main
       as='git -c user.name=ci -c user.email=ci@acme.test'
       git init -q work && cd work && $as commit -q --allow-empty -m signed && git log --show-signature | cat`,
    );
    const nodePath = wrapNode(folder, { main: `exec unshare --mount bash '${script}' "$@"` });
    const job = stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: temp }, nodePath });
    const main = await job.uses({ with: { ...inputs(), 'git-signing': 'true' } });
    expect(told(main).text).toBe('');
    expect(main.log).toContain('refs/heads/main');
    expect(main.log).toContain('Good "git" signature');
    expect(main.annotations).toEqual([
      { level: 'warning', message: expect.stringMatching(/noexec: git works.*ssm-ssh/) },
    ]);
    expect(main.env['GIT_SSH_COMMAND']).toMatch(/^sh \/.*\/bin\/ssm-ssh$/);
    expect(main.outputs['git-ssh-command']).toBe(main.env['GIT_SSH_COMMAND']);
  });

  it('or a temporary folder that is mounted noexec is no hindrance for exec', async () => {
    launchInstance(world);
    const temp = join(folder, 'tmp');
    mkdirSync(temp);
    const known = join(folder, 'known_hosts');
    writeFileSync(known, stage.host.knownHosts);
    const job = stage.job({ env: { ...world.aws.environment({ metadata: true }), TMPDIR: temp } });
    const exec = `${actionPath}/helper/ssm-ssh-agent exec --key /ci/deploy-key --known-hosts ${known}`;
    const { log } = await job.run(
      `unshare --mount bash -c 'mount -t tmpfs -o noexec tmpfs ${temp}; ${exec} -- git ls-remote ${stage.host.url(repository)} main'`,
    );
    expect(log).toContain('refs/heads/main');
  });
});
