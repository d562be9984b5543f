import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { tokenRequest, tokenService } from '../../src/aws/token-request.ts';
import { Troubles } from '../../src/aws/troubles.ts';
import { requestToken } from '../../src/aws/web-identity.ts';

const service = (url: string) => ({ url, bearer: 'secret-text' });

it('a job may ask for tokens only if it has both the address and the bearer', () => {
  const url = 'https://token.test/';
  expect(
    tokenService({ ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret-text' }),
  ).toEqual(service(url));
  expect(tokenService({ ACTIONS_ID_TOKEN_REQUEST_URL: url })).toBeUndefined();
  expect(tokenService({ ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret-text' })).toBeUndefined();
  expect(
    tokenService({ ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret-text' }),
  ).toBeUndefined();
});

it('the request names the audience beside what the address has already', () => {
  const { url, headers } = tokenRequest(service('https://token.test/get?api-version=2'), 'sts.amazonaws.com');
  expect(url.href).toBe('https://token.test/get?api-version=2&audience=sts.amazonaws.com');
  expect(headers).toEqual({ authorization: 'bearer secret-text', accept: 'application/json' });
});

it('the bearer goes without TLS to this machine only', () => {
  expect(tokenRequest(service('http://127.0.0.1:8080/'), 'a').url.origin).toBe('http://127.0.0.1:8080');
  expect(() => tokenRequest(service('http://token.test/'), 'a')).toThrow(
    expect.objectContaining({
      code: 'OIDC_REQUEST_FAILED',
      message:
        "GitHub's token service would be asked at http://token.test, where the token could be read on the way",
      hint: 'the runner sets ACTIONS_ID_TOKEN_REQUEST_URL, and nothing else should; it has to begin with https',
    }),
  );
});

it('an address that is no URL is an error', () => {
  expect(() => tokenRequest(service('token.test'), 'a')).toThrow(
    expect.objectContaining({
      code: 'OIDC_REQUEST_FAILED',
      message: 'ACTIONS_ID_TOKEN_REQUEST_URL is not a URL',
      hint: 'the runner sets it; nothing else should',
    }),
  );
});

it.each([
  [403, 'answered 403'],
  [500, 'answered 500, tried 3 times'],
])('a failure says how often the service was asked, if more than once: %i', async (status, said) => {
  const server = createServer((_, response) => response.writeHead(status).end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { audience: 'a', maxAttempts: 3, patience: 10_000, env: {}, troubles: new Troubles() };
  const signal = AbortSignal.timeout(20_000);
  const asked = requestToken(service(`http://${place}/`), { ...options, signal, sleep: () => sleep(0) });
  await expect(asked).rejects.toMatchObject({
    code: 'OIDC_REQUEST_FAILED',
    message: `GitHub's token service at ${place} ${said}`,
  });
  server.close();
});
