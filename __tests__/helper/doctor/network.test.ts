/** What an answer says about the network: it is from AWS, or from something in between. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { asNodeReads, probe } from '../../../helper/doctor/network.ts';

/** @param own stands for the origin of the server */
async function answered(status: number, location?: string): Promise<Finding> {
  const server = createServer((_, response) => {
    const { port } = server.address() as AddressInfo;
    const place = location?.replace('OWN', `http://127.0.0.1:${port}`);
    response.writeHead(status, place === undefined ? {} : { location: place }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const endpoint = {
      service: 'sts',
      url: new URL(`http://127.0.0.1:${port}`),
      namedBy: undefined,
    } as const;
    const { finding } = await probe(endpoint, {
      ...{ env: {}, region: 'eu-west-1', signal: AbortSignal.timeout(20_000) },
    });
    return finding;
  } finally {
    server.close();
  }
}

describe('an endpoint', () => {
  it.each([300, 302, 307, 399])('that redirects by %i to a portal is not AWS', async (status) => {
    expect(await answered(status, 'https://portal.example/login')).toMatchObject({
      ...{ status: 'fail', detail: expect.stringMatching(/ redirects to portal\.example, /) },
    });
  });

  it.each([
    [302, 'https://aws.amazon.com/iam'],
    [302, 'https://signin.amazonaws.com.cn/'],
    [302, 'OWN/elsewhere'],
    [302, '/elsewhere'],
    [302, undefined],
    [200, 'https://portal.example/login'],
    [400, 'https://portal.example/login'],
  ])('that answers %i with the location %s is reached', async (status, location) => {
    expect(await answered(status, location)).toMatchObject({ status: 'ok' });
  });

  it.each(['https://aws.example/', 'https://notamazon.com/', 'https://amazon.com.portal.example/'])(
    'that redirects to %s, which is only called like AWS, is not AWS',
    async (location) => {
      expect((await answered(302, location)).status).toBe('fail');
    },
  );
});

it('is not said to be out of reach if doctor is interrupted', async () => {
  const endpoint = { service: 'sts', url: new URL('http://127.0.0.1:9'), namedBy: undefined } as const;
  const signal = AbortSignal.abort(new Error('interrupted'));
  await expect(probe(endpoint, { env: {}, region: 'eu-west-1', signal })).rejects.toThrow('interrupted');
});

it.each([
  ['20.20.2', 'without a proxy'],
  ['24.4.1', 'without a proxy'],
  ['22.21.0', 'through the proxy 127.0.0.1:9 (HTTPS_PROXY)'],
])('is reached by Node %s %s, where one is set', async (version, way) => {
  const endpoint = { service: 'sts', url: new URL('https://localhost:9'), namedBy: undefined } as const;
  const env = asNodeReads({ HTTPS_PROXY: 'http://127.0.0.1:9', PATH: '/bin' }, version);
  const { finding } = await probe(endpoint, {
    env,
    region: 'eu-west-1',
    signal: AbortSignal.timeout(20_000),
  });
  expect(env['PATH']).toBe('/bin');
  expect([finding.status, finding.detail.includes('proxy')]).toEqual(['fail', way.startsWith('through')]);
});
