import { describe, expect, test } from '@jest/globals';

import {
  readAuthorization,
  signatureFor,
  verifySignature,
  type SignableRequest,
} from '../../support/aws/iam/sigv4.ts';
import type { LocalAws } from '../../support/aws/local-aws.ts';
import { ssmClient } from './clients.ts';

function signed(headers: Record<string, string>, url: string, authorization: string): SignableRequest {
  return { method: 'GET', url, headers: { ...headers, authorization }, body: Buffer.alloc(0) };
}

describe("AWS's published vectors", () => {
  const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
  const now = new Date('2015-08-30T12:36:00Z');
  const credential = (service: string): string =>
    `Credential=AKIDEXAMPLE/20150830/us-east-1/${service}/aws4_request`;

  test('the IAM User Guide: ListUsers', () => {
    const signature = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7';
    const request = signed(
      {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        host: 'iam.amazonaws.com',
        'x-amz-date': '20150830T123600Z',
      },
      '/?Action=ListUsers&Version=2010-05-08',
      `AWS4-HMAC-SHA256 ${credential('iam')}, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`,
    );
    const authorization = readAuthorization(request);
    if (authorization === undefined) throw new Error('not read');
    expect(signatureFor(request, authorization, secret)).toBe(signature);
    expect(() => {
      verifySignature(request, authorization, { secretAccessKey: secret, now });
    }).not.toThrow();
  });

  test('the Signature Version 4 test suite: get-vanilla', () => {
    const signature = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31';
    const request = signed(
      { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' },
      '/',
      `AWS4-HMAC-SHA256 ${credential('service')}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    );
    const authorization = readAuthorization(request);
    expect(authorization && signatureFor(request, authorization, secret)).toBe(signature);
  });
});

describe("the SDK's own signer agrees", () => {
  const credentials = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'secret/with+signs',
    sessionToken: 'a+b/c=',
  };

  test.each([
    ['/', {}],
    ['/openTunnel', { remotePort: '22', privateIpAddress: '10.0.0.1' }],
    ['/a path/with%20both/and*more', { 'a-b': '2', a: '1 +~*', list: ['b', 'a'] }],
  ])('on a URL presigned for %s with %j', async (path, query) => {
    const { signature, authorization, verify } = await presign(path, query);
    expect(authorization?.signature).toBe(signature);
    expect(authorization?.sessionToken).toBe(credentials.sessionToken);
    expect(verify(59_000)).not.toThrow();
    expect(verify(61_000)).toThrow('Signature expired');
  });

  async function presign(
    path: string,
    query: Record<string, string | string[]>,
  ): Promise<{
    signature: string;
    authorization: ReturnType<typeof readAuthorization>;
    verify: (later: number) => () => void;
  }> {
    const aws = { endpoint: 'http://127.0.0.1:1' } as LocalAws;
    const signer = await ssmClient(aws, credentials).config.signer();
    if (!('presign' in signer)) throw new Error('the SDK has no signer that presigns');
    const signingDate = new Date('2026-01-02T03:04:05Z');
    const message = { method: 'GET', protocol: 'https:', hostname: 'example.com', path, query };
    const presigned = await (signer as { presign: Presign }).presign(
      { ...message, headers: { host: 'example.com' } },
      { expiresIn: 60, signingDate },
    );
    const pairs = Object.entries(presigned.query ?? {}).flatMap(([name, values]) =>
      [values ?? ''].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
    );
    const request = {
      method: 'GET',
      url: `${path}?${pairs.join('&')}`,
      headers: { host: 'example.com' },
      body: Buffer.alloc(0),
    };
    const authorization = readAuthorization(request);
    if (authorization === undefined) throw new Error('not read');
    const { secretAccessKey } = credentials;
    return {
      signature: signatureFor(request, authorization, secretAccessKey),
      authorization,
      verify: (later) => () => {
        verifySignature(request, authorization, {
          secretAccessKey,
          now: new Date(signingDate.getTime() + later),
        });
      },
    };
  }
});

type Query = Record<string, string | string[] | null>;
type Presign = (
  message: {
    method: string;
    protocol: string;
    hostname: string;
    path: string;
    query: Query;
    headers: Record<string, string>;
  },
  options: { expiresIn: number; signingDate: Date },
) => Promise<{ query?: Query }>;
