/** The programs leak no secret: each command on its good path, and where it fails. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import type { Code } from '../../src/errors.ts';
import { launchInstance, stateIsOurs } from '../support/ec2-host.ts';
import { describeWhere, installed } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { agent, credentialHelper, LeakStage, program } from './host-stage.ts';
import { situationsOf } from './short.ts';

interface Situation {
  readonly script: (stage: LeakStage) => string | Promise<string>;
  /** The error; without one the script succeeds. */
  readonly code?: Code;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it prints the token, because git asked for it. */
  readonly prints?: boolean;
}

const put = (value: string) => (stage: LeakStage) => {
  stage.world.put('/ci/key', value);
  return stage.list;
};
const ask = (stage: LeakStage, ...lines: readonly string[]): string => {
  stage.host.configure(['[ssm "github.com"]', 'credential = /ci/token', ...lines]);
  return `printf 'protocol=https\\nhost=github.com\\n\\n' | ${credentialHelper} get`;
};
const storing = (stage: LeakStage): void => {
  stage.host.configure(['[ssm]', 'storePrefix = /git-credentials']);
};
const list = ({ list: command }: LeakStage): string => command;
const signing = (stage: LeakStage): string => {
  const { git, host } = stage;
  host.configure([`[ssm "${git.address}:${git.port}"]`, 'key = kms:alias/deploy']);
  return stage.list;
};

const situations: Readonly<Record<string, Situation>> = {
  'ssm-ssh, cold and warm': { script: (stage) => `${stage.list} && ${stage.list}` },
  'ssm-ssh with an encrypted key': {
    script: (stage) => `${stage.list} || true`,
    env: { SSM_SSH_KEY: '/ci/locked', SSM_SSH_PASSPHRASE: '/ci/passphrase' },
  },
  'ssm-ssh, healing': {
    script: (stage) =>
      `${stage.list} && SSH_AUTH_SOCK=${stage.host.state}/agent ssh-add -qD && ${stage.list}`,
  },
  'ssm-ssh with a key in KMS': { script: signing },
  'ssm-ssh to an EC2 host': { script: async (stage) => `${program} ${await stage.startInstance()} true` },
  exec: {
    script: (stage) => `${agent} exec --key /ci/key --known-hosts known --verbose -- ${stage.list}`,
  },
  add: { script: () => `ssh-agent sh -c '${agent} add /ci/key --verbose'` },
  public: { script: () => `${agent} public /ci/key --verbose` },
  keygen: { script: () => `${agent} keygen /ci/made --verbose` },
  put: { script: (stage) => `${agent} put /ci/put --verbose <${join(stage.folder, 'key')}` },
  certify: {
    script: (stage) => `ssh-keygen -y -f ${join(stage.folder, 'key')} >key.pub
      ${agent} certify key.pub --ca /ci/ca --principals web --verbose`,
  },
  explain: { script: (stage) => `${agent} explain --json ${stage.git.url('acme/lib')}` },
  doctor: { script: (stage) => `${agent} doctor /ci/key --url ${stage.git.url('acme/lib')} || true` },
  policy: { script: () => `${agent} policy /ci/key` },
  setup: { script: () => `${agent} setup --global --key '/ci/key passphrase=/ci/passphrase'` },
  log: { script: (stage) => `${signing(stage)} && ${agent} log` },
  'git-credential-ssm get': { script: (stage) => ask(stage), prints: true },
  'git-credential-ssm store': {
    script: (stage) => {
      storing(stage);
      return `${credentialHelper} store <${join(stage.folder, 'credential')}`;
    },
  },
  KEY_NOT_FOUND: { script: list, code: 'KEY_NOT_FOUND', env: { SSM_SSH_KEY: '/ci/nobody' } },
  KEY_ACCESS_DENIED: {
    script: (stage) => {
      launchInstance(stage.world);
      return stage.list;
    },
    ...{ code: 'KEY_ACCESS_DENIED', env: { SSM_SSH_KEY: '/other/key' } },
  },
  KEY_ENCRYPTED: { script: list, code: 'KEY_ENCRYPTED', env: { SSM_SSH_KEY: '/ci/locked' } },
  PASSPHRASE_WRONG: {
    ...{ script: list, code: 'PASSPHRASE_WRONG' },
    env: { SSM_SSH_KEY: '/ci/locked', SSM_SSH_PASSPHRASE: '/ci/wrong' },
  },
  KEY_NOT_PRIVATE: { script: list, code: 'KEY_NOT_PRIVATE', env: { SSM_SSH_KEY: '/ci/token' } },
  KEY_MALFORMED: {
    script: put('-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE\n'),
    code: 'KEY_MALFORMED',
  },
  KEY_EMPTY: { script: put(' \n'), code: 'KEY_EMPTY' },
  CREDENTIAL_INVALID: {
    script: (stage) => {
      stage.world.put('/ci/token', '{"username":"octo","password":["ghp_0123456789abcdefghij"]}');
      return ask(stage);
    },
    code: 'CREDENTIAL_INVALID',
  },
  INPUT_INVALID: { script: list, code: 'INPUT_INVALID', env: { SSM_SSH_KEY: 'ci/key' } },
  NETWORK_UNREACHABLE: {
    ...{ script: list, code: 'NETWORK_UNREACHABLE' },
    env: { AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:9', SSM_SSH_TIMEOUT: '10s' },
  },
  SSH_NOT_FOUND: {
    script: () => {
      const { execPath } = process;
      const bin = 'mkdir bin; ln -sf /usr/bin/* /bin/* bin/ 2>/dev/null || true; rm bin/ssh';
      return `${bin}; PATH=$PWD/bin SSM_SSH_NODE='${execPath}' ${program} github.com true`;
    },
    code: 'SSH_NOT_FOUND',
  },
  SIGNATURE_REFUSED: { script: list, code: 'SIGNATURE_REFUSED', env: { SSM_SSH_KEY: 'kms:alias/deploy' } },
  TARGET_NOT_FOUND: { script: () => `${program} root@Name=nobody true`, code: 'TARGET_NOT_FOUND' },
  TARGET_AMBIGUOUS: {
    script: ({ world }) => {
      for (const number of ['1', '2']) world.aws.ec2.launch({ tags: { Name: 'web', Number: number } });
      return `${program} root@Name=web true`;
    },
    code: 'TARGET_AMBIGUOUS',
  },
  SESSION_FAILED: {
    script: ({ world }) => `${program} root@${world.aws.ec2.launch().instanceId} true`,
    code: 'SESSION_FAILED',
  },
  TUNNEL_FAILED: {
    script: async (stage) => `${program} -p 2222 ${await stage.startInstance()} true`,
    code: 'TUNNEL_FAILED',
  },
  INSTANCE_CONNECT_FAILED: {
    script: async (stage) => {
      const [, id = ''] = (await stage.startInstance()).split('@');
      return `${program} -o BatchMode=yes ubuntu@${id} true`;
    },
    code: 'INSTANCE_CONNECT_FAILED',
  },
};

describeWhere(stateIsOurs && installed('strace'), 'a host needs root, or no /run/user/UID, and strace')(
  'a program on a host',
  () => {
    const stage = new LeakStage();
    beforeEach(() => stage.open());
    afterEach(() => stage.close());

    it.each(situationsOf(Object.entries(situations), 8))('leaks nothing: %s', async (name, situation) => {
      const { script, code, env = {}, prints = false } = situation;
      const text = await script(stage);
      const outcome = await stage.trace(`programs: ${name}`, { script: text, env, prints });
      expect([outcome.leaks, outcome.said]).toEqual([
        [],
        code === undefined ? outcome.said : expect.stringContaining(`: ${code}: `),
      ]);
      expect([name, outcome.code === 0]).toEqual([name, code === undefined]);
    });
  },
);
