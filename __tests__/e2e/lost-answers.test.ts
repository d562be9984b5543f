/** Programs that wait for an answer which never comes: Node would end them silently with exit code 13. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { Ec2Host, launchInstance, project } from '../support/ec2-host.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

/** Requests that nobody answers, on a machine whose timers do not go off: nothing is left to wait for. */
const losing = `
import http from 'node:http';
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
http.request = () => Object.assign(new EventEmitter(), { end() {}, write() {}, destroy() {} });
syncBuiltinESMExports();
const later = globalThis.setTimeout;
globalThis.setTimeout = (work, time, ...more) =>
  time > 150 ? { ref() {}, unref() { return this; }, hasRef: () => false } : later(work, time, ...more);
`;

describe('a program whose work can never end', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let folder: string;
  let options: { NODE_OPTIONS: string };

  beforeAll(async () => {
    world = await startReadyWorld();
    world.put('/ci/key', stage.key.privateKey);
    launchInstance(world);
    folder = mkdtempSync(join(tmpdir(), 'lost-'));
    const file = join(folder, 'losing.mjs');
    writeFileSync(file, losing);
    options = { NODE_OPTIONS: `--import ${file}` };
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  const lines = (text: string, program: string): void => {
    expect(text).toMatch(
      new RegExp(`^${program}: INTERNAL: .*stopped without a result.*\\nhint: please report this.*$`),
    );
  };

  it('is main: it ends the agent, and says INTERNAL', async () => {
    const job = stage.job({ env: { ...world.jobEnvironment(), ...options } });
    const main = await job.uses({
      with: { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN },
    });
    expect([told(main).code, main.exitCode]).toEqual(['INTERNAL', 1]);
    lines(told(main).text, 'ssm-ssh-agent');
    expect(main.log).not.toMatch(/unsettled|index\.js/);
    expect([job.processes(), job.files()]).toEqual([[], []]);
  });

  it('is a program for hosts: it says INTERNAL', async () => {
    const host = new Ec2Host(world, [], { ...options, AWS_REGION: REGION });
    try {
      host.configure(['[ssm "git.example.com"]', 'credential = /ci/key']);
      const helper = join(project, 'helper/git-credential-ssm');
      const credential = await host.run(
        `printf 'protocol=https\\nhost=git.example.com\\n\\n' | ${helper} get`,
      );
      expect([credential.code, credential.stdout]).toEqual([1, '']);
      lines(credential.stderr.trim(), 'git-credential-ssm');
      const fetch = await host.run(`${join(project, 'helper/ssm-ssh')} git@github.com`, {
        SSM_SSH_KEY: '/ci/key',
      });
      expect(fetch.code).toBe(255);
      lines(fetch.stderr.trim(), 'ssm-ssh');
    } finally {
      host.dispose();
    }
  });
});
