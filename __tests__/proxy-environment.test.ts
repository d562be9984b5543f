import { describe, expect, it } from '@jest/globals';
import { proxyEnvironment } from '../src/proxy-environment.ts';
import { failureOf } from './support/failure-of.ts';

describe('the proxy of the environment', () => {
  it.each([
    ['proxy.example:3128', 'http://proxy.example:3128'],
    ['127.0.0.1:3128', 'http://127.0.0.1:3128'],
    ['me:hunter2@proxy.example:3128', 'http://me:hunter2@proxy.example:3128'],
    ['HTTP://proxy.example:3128', 'http://proxy.example:3128'],
    [' http://proxy.example:3128\n', 'http://proxy.example:3128'],
    ['https://proxy.example', 'https://proxy.example'],
    ['socks5://proxy.example:1080', 'socks5://proxy.example:1080'],
  ])('%j is %s', (written, address) => {
    expect(proxyEnvironment({ HTTPS_PROXY: written, NO_PROXY: 'x' })).toEqual({
      ...{ HTTPS_PROXY: address, NO_PROXY: 'x' },
    });
  });

  it('is that of the small letters, as Node reads it', () => {
    const env = { https_proxy: 'one:1', HTTPS_PROXY: 'other:2' };
    expect(proxyEnvironment(env)).toEqual({ https_proxy: 'http://one:1', HTTPS_PROXY: 'other:2' });
    expect(proxyEnvironment({ https_proxy: '', HTTPS_PROXY: 'other:2' })['HTTPS_PROXY']).toBe(
      'http://other:2',
    );
  });

  it.each([{}, { HTTPS_PROXY: '' }, { HTTP_PROXY: 'x' }, { NO_PROXY: '*' }])('is none in %j', (env) => {
    expect(proxyEnvironment(env)).toBe(env);
  });

  it.each(['http://', 'http://me:hunter2@proxy:99999', 'http://me:hunter2@[bad', 'me:hunter2@pro xy:1'])(
    'is not told with its password: %s',
    (written) => {
      const { code, message, hint } = failureOf(() => proxyEnvironment({ HTTPS_PROXY: written }));
      expect([code, message]).toEqual(['INPUT_INVALID', 'HTTPS_PROXY is not the address of a proxy']);
      expect(hint).toContain('write http://HOST:PORT');
    },
  );
});
