/** Our own Signature Version 4, checked by the local AWS. */
import { expect, it } from '@jest/globals';
import { presign, signHeaders, type Signer } from '../../src/ec2/signature.ts';
import { readAuthorization, verifySignature } from '../support/aws/iam/sigv4.ts';

const date = new Date('2026-11-24T10:00:00Z');
const credentials = {
  ...{ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
  sessionToken: "a token+/=with 'all' (of) it*",
};
const signer: Signer = { service: 'ssmmessages', region: 'eu-west-1', credentials, date };
const url = new URL("wss://host.example.com:8443/v1/a-b?role=publish subscribe&cell='1'&empty=");

function verify(signed: URL, headers: Readonly<Record<string, string>>, now = date): void {
  const request = { method: 'GET', url: signed.pathname + signed.search, headers, body: Buffer.alloc(0) };
  const authorization = readAuthorization(request);
  if (!authorization) throw new Error('not signed');
  expect(authorization.scope).toMatchObject({ service: 'ssmmessages', region: 'eu-west-1' });
  expect(authorization.sessionToken).toBe(credentials.sessionToken);
  verifySignature(request, authorization, { secretAccessKey: credentials.secretAccessKey, now });
}

it('is in the query of a URL, and expires', async () => {
  const signed = await presign(url, signer, 60);
  expect(signed.searchParams.get('role')).toBe('publish subscribe');
  const headers = { host: 'host.example.com:8443' };
  verify(signed, headers);
  verify(signed, headers, new Date(date.getTime() + 59_000));
  expect(() => {
    verify(signed, headers, new Date(date.getTime() + 61_000));
  }).toThrow('Signature expired');
});

it('is in headers, and not valid for another URL', async () => {
  const headers = await signHeaders(url, signer);
  verify(url, headers);
  expect(() => {
    verify(new URL(`${url.href}x`), headers);
  }).toThrow('does not match');
});
