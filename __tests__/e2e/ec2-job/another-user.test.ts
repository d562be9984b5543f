/** Steps of one job that reach EC2 hosts as different users, as with sudo. */
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from '@jest/globals';
import { describeWhere } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { told } from '../stage.ts';
import { deployInputs, instanceId, useEc2JobStage } from './ec2-job-stage.ts';

const isRoot = process.getuid?.() === 0;
/** www-data of Debian. */
const other = 33;

describeWhere(isRoot, 'a file of another user: run the tests as root')(
  'where another user of the job',
  () => {
    const stage = useEc2JobStage('session-manager');

    it('was at an EC2 host before, each has a folder, and post removes it', async () => {
      const job = stage.job();
      const main = await job.uses({ with: { ...deployInputs, keys: '' } });
      expect(told(main).text).toBe('');
      const folder = dirname(main.paths[0] ?? '');
      const theirs = join(folder, 'ec2');
      mkdirSync(theirs, { mode: 0o700 });
      chownSync(theirs, other, other);
      const { log, outcome } = await job.run(`ssm-ssh ${stage.instance.user}@${instanceId} echo there`);
      expect([log.replace(/^Warning: Permanently added .*\n/gm, ''), outcome]).toEqual([
        'there\n',
        'success',
      ]);
      expect(readdirSync(theirs)).toEqual([]);
      const own = join(folder, 'ec2-0');
      expect(statSync(own).mode & 0o777).toBe(0o700);
      expect(readFileSync(join(own, 'known_hosts'), 'utf8')).not.toBe('');
      const { posts, leftoverProcesses } = await job.finish();
      expect(posts.map(({ annotations }) => annotations)).toEqual([[]]);
      expect([leftoverProcesses, job.files()]).toEqual([[], []]);
    });

    it('made the report impossible, the connection fails or works for its own reasons', async () => {
      const job = stage.job();
      await job.uses({ with: { ...deployInputs, keys: '' } });
      const proxy = `node --no-warnings ${process.cwd()}/dist/programs/index.js ssm-ssh proxy --host=${instanceId}`;
      const { log } = await job.run(`PATH=${dirname(process.execPath)}:$PATH
      ${proxy} --port=none --report=/proc/nowhere/report --timeout=20s --via=session-manager || true`);
      expect(log).not.toContain('INTERNAL');
      expect(log).toContain('INPUT_INVALID');
      await job.finish();
    });
  },
);
