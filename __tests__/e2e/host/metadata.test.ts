/** Faults of instance metadata, with every program that reads a key with the role of the instance. */
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import type { Fault } from '../../support/aws/local-aws.ts';
import { project, type Ran } from '../../support/ec2-host.ts';
import { useHost } from './use-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

const credentials = 'imds:GET /latest/meta-data/iam/security-credentials/*';

describe('instance metadata', () => {
  const stage = useHost();

  const programs: Record<string, () => Promise<Ran>> = {
    'ssm-ssh': () => stage.host.run(`git clone -q ${stage.git.url('acme/lib')} it`),
    exec: () => stage.host.run(`${join(project, 'helper/ssm-ssh-agent')} exec --key /ci/key -- true`),
    'git-credential-ssm': () => {
      stage.world.put('/ci/token', 'ghp_0123456789abcdefghij');
      stage.host.configure(['[ssm "git.example.com"]', 'credential = /ci/token']);
      const helper = join(project, 'helper/git-credential-ssm');
      return stage.host.run(`printf 'protocol=https\\nhost=git.example.com\\n\\n' | ${helper} get`);
    },
  };

  it.each(Object.keys(programs))('that are cut twice are still read by %s', async (name) => {
    stage.world.aws.faults.order({ operation: credentials, fault: 'cut', times: 2 });
    const { code, stderr } = (await programs[name]?.()) as Ran;
    expect([stderr, code]).toEqual(['', 0]);
  });

  it.each<[string, string, Fault]>([
    ['ssm-ssh', 'NETWORK_UNREACHABLE', 'cut'],
    ['exec', 'NETWORK_UNREACHABLE', 'cut'],
    ['git-credential-ssm', 'NETWORK_UNREACHABLE', 'cut'],
    ['exec', 'NETWORK_UNREACHABLE', 'malformed'],
    ['exec', 'PROVIDER_FAILED', 'internal-error'],
    ['exec', 'THROTTLED', 'throttling'],
  ])('are named in the error of %s: %s', async (name, code, fault) => {
    stage.world.aws.faults.order({ operation: credentials, fault });
    const ran = (await programs[name]?.()) as Ran;
    expect(ran.stderr).toMatch(
      new RegExp(`^\\S+: ${code}: the instance metadata service at http://127\\S+ .*\\nhint: `),
    );
    expect(ran.took).toBeLessThan(30_000);
  });
});
