import { expect, it } from '@jest/globals';
import { tokenRequest, tokenService } from '../../src/aws/token-request.ts';

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
