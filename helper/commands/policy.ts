/** `policy`: prints the least-privilege IAM policy for references and EC2 hosts, or the trust policy for jobs of GitHub. */
import { command, type Running } from '../command-line/command.ts';
import type { Line } from '../command-line/parse.ts';
import { policyOptions } from '../policy/options.ts';

export const policy = command({
  name: 'policy',
  summary: 'Print the least-privilege IAM policy for keys and EC2 hosts, or the trust policy for GitHub',
  synopsis: '[REF …] [--host HOST …] [--trust OWNER/REPO …] [OPTION …]',
  examples: [
    ['policy /ci/deploy-key', 'what a role needs to read a key; the KMS key is looked up'],
    ['policy --host ec2-user@i-0123456789abcdef0', 'what it needs to reach an EC2 host'],
    ['policy --trust acme/app --branch main', 'the trust policy of the role for jobs of GitHub'],
  ],
  options: policyOptions,
  common: ['region', 'profile', 'role-arn', 'quiet', 'verbose', 'help', 'version'],
  run: runPolicy,
});

/** Loaded here, because other commands do not need it. */
async function runPolicy(line: Line<typeof policyOptions>, running: Running): Promise<number> {
  const { printPolicy } = await import('../policy/print-policy.ts');
  return await printPolicy(line, running);
}
