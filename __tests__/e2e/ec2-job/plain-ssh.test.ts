/** ssh-config: plain ssh, scp and sftp reach EC2 hosts by their ids within the job, and nowhere else. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { REGION } from '../../support/aws/world.ts';
import { canMountHome, nodeIn, scriptIn } from '../../support/account-home.ts';
import type { Job, StepResult } from '../../support/runner/job.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { told } from '../stage.ts';
import { deployInputs, instanceId, useEc2JobStage } from './ec2-job-stage.ts';
import { describeWhere } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeWhere(canMountHome(tmpdir()), 'blocks in ~/.ssh need root')(
  'plain ssh in a job with ssh-config',
  () => {
    const stage = useEc2JobStage('instance-connect-endpoint');
    let home: string;
    beforeEach(() => {
      home = mkdtempSync(join(tmpdir(), 'home-'));
      stage.world.aws.forgetCalls();
    });
    afterEach(() => {
      rmSync(home, { recursive: true });
    });

    const newJob = (): Job => stage.job({}, { nodePath: nodeIn(home, join(home, 'bin/node')) });
    const use = async (job: Job, keys = ''): Promise<void> => {
      const main = await job.uses({ with: { ...deployInputs, keys, 'ssh-config': 'true' } });
      expect(told(main).text).toBe('');
    };
    const plainly = (job: Job, script: string): Promise<StepResult> => job.run(scriptIn(home, script));
    const host = (): string => `${stage.instance.user}@${instanceId}`;
    const pushes = (): number =>
      stage.world.aws.calls.filter(({ operation }) => operation.endsWith(':SendSSHPublicKey')).length;

    it('reaches a host by its id with ssh, scp and sftp, and post leaves nothing', async () => {
      const job = newJob();
      await use(job);
      const work = await plainly(
        job,
        `ssh ${host()} echo there
       echo text > file; scp -q file ${host()}:${home}/copied; cmp file ${home}/copied
       echo 'get ${home}/copied back' | sftp -b - ${host()} > /dev/null; cmp file back`,
      );
      expect(work.log.replace(/^Warning: Permanently added .*\n/gm, '')).toBe('there\n');
      expect(work.outcome).toBe('success');
      const { posts, leftoverProcesses } = await job.finish();
      expect(posts.map(({ annotations }) => annotations)).toEqual([[]]);
      expect([leftoverProcesses, job.files(), existsSync(join(home, '.ssh'))]).toEqual([[], [], false]);
    });

    it("uses a step's own AWS_REGION, as ssm-ssh does, and not the job's", async () => {
      const job = stage.job({ AWS_REGION: 'us-west-2' }, { nodePath: nodeIn(home, join(home, 'bin/node')) });
      await use(job);
      const regionsOf = async (command: string): Promise<unknown[]> => {
        stage.world.aws.forgetCalls();
        await plainly(job, `${command} ${host()} true || true`);
        const asked = stage.world.aws.calls.filter(({ operation }) => operation.startsWith('ec2:'));
        return [...new Set(asked.map(({ region }) => region))];
      };
      for (const program of ['ssh', 'ssm-ssh']) {
        expect(await regionsOf(program)).toEqual([REGION]);
        expect(await regionsOf(`AWS_REGION=eu-central-1 ${program}`)).toEqual(['eu-central-1']);
        expect(await regionsOf(`AWS_REGION=eu-central-1 SSM_SSH_REGION=${REGION} ${program}`)).toEqual([
          REGION,
        ]);
      }
    });

    it('still reaches the host after a use with keys and without a role', async () => {
      stage.world.put('/ci/key', (await makeSshKey()).privateKey);
      const job = newJob();
      await use(job);
      const { accessKeyId, secretAccessKey, sessionToken } = stage.world.aws.iam.createSession({
        roleArn: 'arn:aws:iam::111122223333:role/ci',
      });
      const main = await job.uses({
        with: { keys: '/ci/key', 'aws-region': 'eu-west-1', 'ssh-config': 'true' },
        env: {
          ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
          AWS_SESSION_TOKEN: sessionToken,
        },
      });
      expect(told(main).text).toBe('');
      const work = await plainly(job, `ssh ${host()} echo there; ssm-ssh ${host()} echo there, too`);
      expect(work.log.replace(/^Warning: Permanently added .*\n/gm, '')).toBe('there\nthere, too\n');
      expect(pushes()).toBe(1);
    });

    it('does not reach the host outside the job', async () => {
      const job = newJob();
      await use(job);
      const { log } = await plainly(job, `env -u RUNNER_TEMP ssh -G ${host()}`);
      expect(log).not.toMatch(/^proxycommand/m);
    });
  },
);
