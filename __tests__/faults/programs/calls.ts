/** The calls of the programs other than main, each with a command that makes it, on a host on EC2. */
import { ACCOUNT } from '../../support/aws/world.ts';
import type { Call } from '../calls.ts';

export interface ProgramCall extends Call {
  /** The first words of the row's name. */
  readonly program: string;
  /** One command of bash. The variables of `variablesOf` (row.ts) are set. */
  readonly run: string;
  /** In front of it, without the fault. */
  readonly before?: string;
  /** After the fault; it must succeed. Default: the same command. */
  readonly again?: string;
  /** What it needs besides AWS. */
  readonly needs?: 'instance' | 'github';
  readonly env?: Readonly<Record<string, string>>;
  /** A part of its time is the connection's: the limit may end before the last try. */
  readonly mayBeLate?: boolean;
  /**
   * The troubles of an answer that do no harm, because it is short enough to arrive before the time limit, or nothing in it
   * is needed.
   */
  readonly harmless?: readonly ('drip' | 'wrong JSON')[];
  /** Only its answer names the session that it opens. Without the answer nobody can end that session but AWS. */
  readonly namesSession?: boolean;
}

const READER = `arn:aws:iam::${ACCOUNT}:role/reader`;

const sts = { kind: 'session', endpoint: 'AWS_ENDPOINT_URL_STS', names: /\bsts\b|reader/ } as const;
const ssm = { kind: 'store', endpoint: 'AWS_ENDPOINT_URL_SSM', names: /\bssm\b|\/ci\// } as const;
const secrets = {
  ...({ kind: 'store', endpoint: 'AWS_ENDPOINT_URL_SECRETS_MANAGER', names: /secretsmanager/ } as const),
};
const kms = { kind: 'store', endpoint: 'AWS_ENDPOINT_URL_KMS', names: /\bkms\b/ } as const;
/** It answers in XML, as STS does. */
const ec2 = { kind: 'session', endpoint: 'AWS_ENDPOINT_URL_EC2', names: /\bec2\b|web-1/ } as const;
const connect = {
  ...({ kind: 'store', endpoint: 'AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT' } as const),
  names: /ec2-instance-connect|EC2 Instance Connect|connection to i-/,
};
const metadata = {
  ...({ endpoint: 'AWS_EC2_METADATA_SERVICE_ENDPOINT', mayBeLate: true } as const),
  names: /instance metadata|fetching the key/,
};

const list =
  'set -o pipefail; printf 0000 | "$SSM_SSH" $LOGIN "git-upload-pack \'/acme/lib.git\'" | grep -a refs/heads/main >/dev/null';
const cold = { program: 'ssm-ssh', run: list };
const description = 'protocol=https\\nhost=github.com\\nusername=octo\\n';
const stored = `printf '${description}password=typed pass word 17\\n\\n' | "$CREDENTIAL" store`;
const storing = 'git config --global ssm.storePrefix /git-credentials';
const rotate =
  '"$AGENT" rotate /ci/key --github-repo acme/lib --api-url "$API_URL" --token /ci/token --test "$URL" --known-hosts "$KNOWN" --quiet';
/** The rotation goes on where it stopped, if it stopped. */
const again = `${rotate} 2>/dev/null || true; ${rotate} --finish`;
const rotating = { program: 'rotate', run: rotate, again, needs: 'github' } as const;
const github = { ...rotating, kind: 'github', endpoint: 'API_URL', names: /acme\/lib|GitHub/ } as const;
const through = '"$AGENT" proxy -- %h %p';
const proxy = {
  ...({ program: 'proxy', needs: 'instance', mayBeLate: true } as const),
  run: `ssh -F none -i "$KEY_FILE" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ProxyCommand='${through}' "$EC2" true`,
};
const login = { program: 'ssm-ssh to an EC2 host', needs: 'instance', mayBeLate: true } as const;

export const programCalls: readonly ProgramCall[] = [
  { ...cold, ...metadata, kind: 'metadata token', operation: 'imds:PUT /latest/api/token' },
  {
    ...{ ...cold, ...metadata, kind: 'metadata' },
    operation: 'imds:GET /latest/meta-data/iam/security-credentials/host',
  },
  { ...cold, ...sts, operation: 'sts:AssumeRole', env: { SSM_SSH_ROLE_ARN: READER } },
  { ...cold, ...ssm, operation: 'ssm:GetParameter' },
  {
    ...{ ...cold, ...secrets, operation: 'secretsmanager:GetSecretValue' },
    env: { SSM_SSH_KEY: 'secretsmanager:ci/key' },
  },
  {
    ...{ ...cold, ...kms, operation: 'kms:GetPublicKey' },
    before: 'git config --global "ssm.$HOST.key" kms:alias/deploy',
  },
  {
    ...{ program: 'git-credential-ssm get', ...ssm, operation: 'ssm:GetParameter' },
    before: 'git config --global ssm.github.com.credential /ci/token',
    run: `set -o pipefail; printf 'protocol=https\\nhost=github.com\\n\\n' | "$CREDENTIAL" get | grep -q password=`,
  },
  {
    ...{ program: 'git-credential-ssm store', ...ssm, operation: 'ssm:PutParameter' },
    ...{ before: storing, run: stored },
  },
  {
    ...{ program: 'git-credential-ssm erase', ...ssm, operation: 'ssm:DeleteParameter' },
    harmless: ['drip', 'wrong JSON'],
    ...{ before: `${storing}; ${stored}`, run: `printf '${description}\\n' | "$CREDENTIAL" erase` },
  },
  { ...rotating, ...ssm, operation: 'ssm:GetParameter' },
  // What a lost answer leaves is found by the next try.
  { ...rotating, ...ssm, operation: 'ssm:PutParameter', harmless: ['drip'] },
  { ...github, operation: 'GET /repos/acme/lib/keys' },
  // Where the key is, is read afterwards.
  { ...github, operation: 'POST /repos/acme/lib/keys', harmless: ['wrong JSON'] },
  { ...login, ...ec2, operation: 'ec2:DescribeInstances', run: '"$SSM_SSH" "$EC2_NAME" true' },
  {
    ...{ ...login, ...connect, operation: 'ec2-instance-connect:SendSSHPublicKey' },
    run: '"$SSM_SSH" "$EC2" true',
    // The login shows whether the instance has the key.
    harmless: ['wrong JSON'],
  },
  {
    ...{ ...proxy, ...ssm, operation: 'ssm:StartSession', namesSession: true },
    names: /\bssm\b|Session Manager|connection to i-/,
  },
];
