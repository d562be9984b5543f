/** Each command of the documents is run by a test, or stands here with the reason why none can. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { shellBlocks } from './support/commands-in-documents.ts';

const commands = shellBlocks.flatMap(({ document, commands }) =>
  commands.map((command) => `${document}: ${command}`),
);

interface Run {
  readonly commands: RegExp;
  /** Runs them out of the document, or in words of its own. */
  readonly test: string;
  /** How they stand in the test. */
  readonly as: string;
}

const runs: readonly Run[] = [
  {
    commands: /: (aws (iam|ssm put|ec2)|ssh-keygen|cat|rm|read|jq|printf '%s')/,
    test: 'e2e/scenarios/aws-commands.test.ts',
    as: 'shellBlocks',
  },
  { commands: /^README\.md: git clone/, test: 'e2e/readme.test.ts', as: 'clone?.run' },
  { commands: /^README\.md: sudo ssm-ssh-agent setup/, test: 'e2e/ec2-guide.test.ts', as: 'blocks(readme)' },
  { commands: /^docs\/ec2\.md: (sudo|git|ssm|eval)/, test: 'e2e/ec2-guide.test.ts', as: 'blocks(guide)' },
  { commands: /^docs\/ec2-hosts\.md: ssm-ssh/, test: 'e2e/ec2/ssh.test.ts', as: 'rsync' },
  { commands: /^docs\/ec2-hosts\.md: scp/, test: 'e2e/ec2/ssh.test.ts', as: 'scp -q -S' },
  { commands: /^docs\/ec2-hosts\.md: rsync/, test: 'e2e/ec2/ssh.test.ts', as: 'rsync -' },
  {
    commands: /^docs\/ec2-hosts\.md: SSM_SSH_EC2/,
    test: 'e2e/ec2/git.test.ts',
    as: "SSM_SSH_EC2_REMOTES: '1'",
  },
  { commands: /^docs\/ec2-hosts\.md: ssh/, test: 'e2e/ec2/plain-ssh.test.ts', as: '-J web' },
  {
    commands: /^docs\/https\.md: (sudo )?ssm-ssh-agent setup/,
    test: 'docs.test.ts',
    as: 'parseCredentialLine',
  },
  {
    commands: /^docs\/https\.md: git clone/,
    test: 'e2e/credential/git-credential-ssm.test.ts',
    as: 'git clone',
  },
  {
    commands: /^docs\/https\.md: git config .*(cache|helper ssm)/,
    test: 'e2e/credential/git-credential-ssm.test.ts',
    as: 'cache --timeout',
  },
  {
    commands: /^docs\/https\.md: git config .*store/,
    test: 'e2e/credential/storage.test.ts',
    as: '--store-prefix',
  },
  {
    commands: /^docs\/https\.md: printf 'protocol/,
    test: 'e2e/credential/storage.test.ts',
    as: "tell('erase'",
  },
  {
    commands: /^docs\/security\.md: exec ssm-ssh-agent flush/,
    test: 'e2e/host/after-setup.test.ts',
    as: 'flush',
  },
  { commands: /^README\.md: (rsync|ssm-ssh)/, test: 'e2e/ec2/ssh.test.ts', as: 'rsync -' },
  {
    commands: /^docs\/install\.md: (sudo|version|release|curl|sha256sum|ssm-ssh-agent)/,
    test: 'e2e/install-guide.test.ts',
    as: 'docs/install.md',
  },
  {
    commands: /^docs\/other-ci\.md: (ssm-ssh-agent|set|tokens|buildkite-agent|export|node)/,
    test: 'e2e/other-ci.test.ts',
    as: 'docs/other-ci.md',
  },
  {
    commands: /^docs\/other-ci\.md: (instances|\[|failed|for|rsync|ssm-ssh|done)/,
    test: 'e2e/ec2/tagged-instances.test.ts',
    as: 'docs/other-ci.md',
  },
  {
    commands: /^docs\/keys\.md: (ssh-keyscan|ssm-ssh-agent setup)/,
    test: 'e2e/host-keys.test.ts',
    as: 'setup --global --known-hosts FILE',
  },
  {
    commands: /^docs\/ec2-hosts\.md: (ssm-ssh-agent setup|export|ssh ec2-user)/,
    test: 'e2e/journeys/laptop.test.ts',
    as: 'setup --global --via session-manager',
  },
];

/** Which commands → why no test runs them. */
const runByNone: readonly (readonly [commands: RegExp, reason: string])[] = [
  [/: npm (ci|test|run)/, 'a test that runs the tests would run itself; .ci/run runs them'],
  [/: aws sso login/, 'it opens a browser'],
  [/: gh attestation verify/, 'it asks GitHub for a release that has been published'],
  [/: docker build/, 'no test has a Docker engine'],
  [/: shasum/, 'it is macOS that needs it; on Linux the same line has sha256sum'],
  [/: aws (cloudtrail lookup-events|ssm describe-instance-information)/, 'moto cannot answer them'],
];

describe('a command of the documents', () => {
  it('is found', () => {
    expect(commands.length).toBeGreaterThan(40);
  });

  it.each(commands)('is run, or cannot be: %s', (command) => {
    const matches = [...runs.map((run) => run.commands), ...runByNone.map(([pattern]) => pattern)];
    expect(matches.filter((pattern) => pattern.test(command)).length).toBeGreaterThan(0);
  });

  it.each(runs)('$commands is run by $test', ({ commands: pattern, test, as }) => {
    expect(commands.some((command) => pattern.test(command))).toBe(true);
    expect(readFileSync(join(import.meta.dirname, test), 'utf8')).toContain(as);
  });
});
