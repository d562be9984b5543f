import { afterEach, describe, expect, it } from '@jest/globals';
import { warnOfProxy, type ReadOptions } from '../../src/host/call-aws.ts';
import { openEc2Caller } from '../../src/host/ec2-caller.ts';
import { findPolicyHome } from '../../src/host/policy-home.ts';
import { signingAccess } from '../../src/host/signing-access.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { parseKeyReference, type KmsReference } from '../../src/keys/key-reference.ts';
import { warningsOnly, type Voice } from '../../src/host/voice.ts';

const proxied = { HTTPS_PROXY: 'http://proxy.example:3128' };

function warnings(work: (voice: Voice) => void): string[] {
  const told: string[] = [];
  work(warningsOnly((warning) => told.push(warning)));
  return told;
}

it('A Node that is too old for the proxy of the environment is named, once', () => {
  const told = warnings((voice) => {
    warnOfProxy({ env: proxied, voice }, '24.4.1');
    warnOfProxy({ env: proxied, voice }, '24.4.1');
  });
  expect(told).toEqual([
    'the proxy is not used: Node 24.4.1 does not support HTTPS_PROXY; use Node 22.21, 24.5 or newer',
  ]);
});

it('A proxy that Node cannot use is named', () => {
  const told = warnings((voice) => {
    warnOfProxy({ env: { https_proxy: 'SOCKS5h://me:secret@proxy.example:1080' }, voice }, '24.18.0');
  });
  expect(told).toEqual([
    'the proxy is not used: https_proxy has the scheme socks5h; name an http or https proxy, or unset it',
  ]);
});

it.each([
  ['24.5.0', { HTTPS_PROXY: 'proxy.example:3128' }],
  ['24.5.0', { HTTPS_PROXY: 'HTTPS://proxy.example:3128' }],
  ['24.5.0', { HTTPS_PROXY: 'http://proxy.example:3128' }],
  ['22.21.0', { HTTPS_PROXY: 'http://proxy.example:3128' }],
  ['25.0.0', { https_proxy: 'http://proxy.example:3128' }],
  ['20.18.0', { HTTPS_PROXY: '' }],
  ['20.18.0', {}],
])('Nothing is said of Node %s with %j', (version, env) => {
  expect(
    warnings((voice) => {
      warnOfProxy({ env, voice }, version);
    }),
  ).toEqual([]);
});

it.each([
  ['20.18.0', { https_proxy: 'http://proxy.example:3128' }],
  ['22.20.9', proxied],
  ['23.11.1', proxied],
])('Node %s is too old for %j', (version, env) => {
  expect(
    warnings((voice) => {
      warnOfProxy({ env, voice }, version);
    }),
  ).toHaveLength(1);
});

describe('A proxy that Node cannot use is named, once, by what', () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  });
  const here = { region: 'eu-west-1', roles: [], timeoutSeconds: 5 };
  const wanted = {
    regions: ['eu-west-1'],
    role: null,
    allowedAccounts: [],
    maxAttempts: 1,
    timeoutSeconds: 5,
  };
  const parameter = parseReference('arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key');

  it.each<[string, (options: ReadOptions) => Promise<unknown>]>([
    ['reaches an EC2 host', (options) => openEc2Caller({}, here, options)],
    [
      'prints a policy',
      (options) =>
        findPolicyHome(
          {
            ...{ references: [parameter], signing: [], namesAccount: false, namesRegion: false },
            ...{ account: undefined, kmsKeyId: undefined, host: here },
          },
          options,
        ),
    ],
    [
      'serves a key in KMS',
      (options) =>
        signingAccess([parseKeyReference('kms:alias/deploy') as KmsReference], wanted, {
          ...{ ...options, ended: options.signal },
        }),
    ],
  ])('%s', async (_, work) => {
    const env = {
      ...{ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'none' },
      ...{ HTTPS_PROXY: 'socks5://proxy.example:1080', AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
    };
    // The AWS SDK reads its settings from the environment of this process.
    Object.assign(process.env, env);
    const told: string[] = [];
    const voice = warningsOnly((warning) => told.push(warning));
    const missing = { region: '', credentials: '', expired: '' };
    await work({ env, voice, missing, signal: new AbortController().signal });
    expect(told).toEqual([
      expect.stringMatching(/^the proxy is not used: HTTPS_PROXY has the scheme socks5;/),
    ]);
  });
});
