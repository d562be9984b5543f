/** A request always ends, and its answer is limited in size. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sendRequest, type HttpAnswer, type HttpOptions } from '../src/http-request.ts';
import { serve, type HttpAnswer as Served, type HttpServer } from './support/aws/wire/http-server.ts';
import { createCertificates, type Certificates } from './support/aws/wire/certificates.ts';

let server: HttpServer;
let encrypted: HttpServer;
let certificates: Certificates;

beforeAll(async () => {
  certificates = await createCertificates();
  const handle = async ({ method, url }: { method: string; url: string }): Promise<Served> => {
    const [, delivery = 'whole'] = url.split('/') as [string, Served['delivery']];
    const body = `${method} ${'x'.repeat(1000)}`;
    return await Promise.resolve({ status: 200, headers: { 'content-type': 'text/plain' }, body, delivery });
  };
  [server, encrypted] = await Promise.all([serve({ handle }), serve({ handle, tls: certificates })]);
});
afterAll(async () => {
  await Promise.all([server.close(), encrypted.close(), certificates.remove()]);
});

async function ask(
  path: string,
  more: Partial<HttpOptions> = {},
  origin = server.origin,
): Promise<HttpAnswer> {
  const options = { env: {}, signal: new AbortController().signal, patience: 10_000, ...more };
  return await sendRequest({ url: new URL(`${origin}/${path}`), method: 'PUT', headers: {} }, options);
}

describe('a request', () => {
  it('returns the complete answer', async () => {
    expect(await ask('whole')).toMatchObject({ status: 200, text: `PUT ${'x'.repeat(1000)}` });
  });

  it.each([
    ['never', 'ETIMEDOUT'],
    ['stall', undefined],
    ['drip', undefined],
    ['cut', 'ECONNRESET'],
    ['reset', 'ECONNRESET'],
    ['huge', undefined],
  ])('ends even if the answer does not: %s', async (delivery, code) => {
    const answer = await ask(delivery, /never|stall|drip/.test(delivery) ? { patience: 500 } : {});
    expect([answer.status, answer.code]).toEqual([undefined, code]);
  });

  it('accepts answers up to the given size', async () => {
    expect((await ask('whole', { largest: 1004 })).status).toBe(200);
    expect(await ask('whole', { largest: 1003 })).toEqual({
      ...{ headers: {}, code: undefined },
      text: 'an answer of more than 1003 bytes',
    });
  });

  it('ends when its signal is aborted, and does not start after that', async () => {
    const controller = new AbortController();
    const asked = ask('never', { signal: controller.signal, patience: 60_000 });
    controller.abort();
    expect((await asked).status).toBeUndefined();
    expect((await ask('whole', { signal: controller.signal })).status).toBeUndefined();
    // Sooner than its patience ends it.
  }, 20_000);

  it('reports an untrusted certificate by its code', async () => {
    expect((await ask('whole', {}, encrypted.origin)).code).toMatch(/SELF_SIGNED|UNABLE_TO/);
  });
});
