import { expect, it } from '@jest/globals';
import { warnOfProxy } from '../../src/host/call-aws.ts';
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
